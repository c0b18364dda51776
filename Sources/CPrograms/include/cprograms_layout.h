// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause
//
// What the BPF programs and the code that loads them must agree on: names, sizes of the maps and
// the layout of their keys. Included by both, and therefore free of everything but numbers.
#pragma once

#include <linux/types.h>

/// Receive queues of one interface that can have a socket: the entries of the map `sockets`.
#define CPROGRAMS_QUEUE_COUNT 256

/// Outer addresses at which overlay traffic is received: the entries of `overlay_addresses`.
#define CPROGRAMS_OVERLAY_ADDRESS_COUNT 1024

/// The value of an entry of `overlay_addresses`: VXLAN or sleeve, both of them over UDP.
#define CPROGRAMS_OVERLAY_UDP 1

/// Security associations by which ESP packets are received: the entries of `security_associations`.
#define CPROGRAMS_SECURITY_ASSOCIATION_COUNT 8192

/// The value of an entry of `security_associations`: the association is the overlay's.
#define CPROGRAMS_SECURITY_OURS 1

/// What the names of all our programs begin with, by which a restarted daemon knows its own.
#define CPROGRAMS_NAME_PREFIX "weft_"

/// A key of `overlay_addresses`, in network byte order as in the packet.
///
/// The kernel hashes all 8 bytes, so that the last two must be zero.
struct cprograms_overlay_address {
  __be32 address;
  __be16 port;
  __u16 zero;
};

/// A key of `security_associations`, in network byte order as in the packet.
struct cprograms_security_association {
  __be32 address;
  __be32 identifier;
};

_Static_assert(sizeof(struct cprograms_overlay_address) == 8, "the key has no padding");
_Static_assert(sizeof(struct cprograms_security_association) == 8, "the key has no padding");
_Static_assert(__builtin_offsetof(struct cprograms_overlay_address, port) == 4,
               "the port follows the address");
_Static_assert(sizeof(CPROGRAMS_NAME_PREFIX) <= 16, "the kernel cuts names at 15 characters");
