// SPDX-License-Identifier: Apache-2.0
//
// The BPF objects built from bpf/, embedded: the daemon looks up nothing on disk to load them.
#pragma once

#include "cprograms_layout.h"

/// An ELF object in read-only memory, aligned to 8 bytes, there as long as the process.
struct cprograms_object {
  const unsigned char* bytes;
  unsigned long size;
};

/// The object with the program `weft_underlay` and the maps `sockets`, `overlay_addresses` and
/// `security_associations`.
struct cprograms_object cprograms_underlay(void);

/// The object with the program `weft_port` and the maps `sockets` and `missed`.
struct cprograms_object cprograms_port(void);
