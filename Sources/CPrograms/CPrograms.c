// SPDX-License-Identifier: Apache-2.0
#include "CPrograms.h"

// #embed is C23; the compiler takes it in every mode and says so.
#pragma clang diagnostic ignored "-Wc23-extensions"

// libbpf reads the ELF headers in place, hence the alignment.
_Alignas(8) static const unsigned char underlay[] = {
#embed "objects/underlay.o"
};

_Alignas(8) static const unsigned char port[] = {
#embed "objects/port.o"
};

_Static_assert(sizeof(underlay) > 64 && sizeof(port) > 64, "an object is longer than its header");

struct cprograms_object cprograms_underlay(void) {
  return (struct cprograms_object){.bytes = underlay, .size = sizeof(underlay)};
}

struct cprograms_object cprograms_port(void) {
  return (struct cprograms_object){.bytes = port, .size = sizeof(port)};
}
