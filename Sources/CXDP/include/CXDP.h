// SPDX-License-Identifier: Apache-2.0
//
// libxdp and libbpf as Swift sees them, and what they leave out.

#pragma once

#include <linux/if_xdp.h>
#include <stdbool.h>
#include <stdint.h>
#include <xdp/xsk.h>

#include "cxdp_programs.h"

/// A flag of binding: frames may have several pieces (`XDP_USE_SG`, Linux 6.6; the headers of this
/// distribution are older).
#define CXDP_USE_PIECES 16

/// Whether the kernel knows `CXDP_USE_PIECES`.
bool cxdp_knows_pieces(void);

/// The four rings of one socket, as libxdp describes them.
struct cxdp_rings {
  struct xsk_ring_prod fill;
  struct xsk_ring_cons receive;
  struct xsk_ring_prod transmit;
  struct xsk_ring_cons completion;
};
typedef struct cxdp_rings cxdp_rings;

/// Registers memory as `xsk_umem__create` does; the descriptor is closed on exec.
int cxdp_register_memory(struct xsk_umem** umem, void* memory, uint64_t length,
                         struct xsk_ring_prod* fill, struct xsk_ring_cons* completion,
                         const struct xsk_umem_config* configuration);

/// Opens a socket on `queue` of `interface` that shares `umem`. Returns 0 or -errno.
///
/// `rings` live as long as the socket. For the first socket of a registration, `fill` and
/// `completion` are the records it was registered with, and live as long: if binding fails, libxdp
/// unmaps any others, though the registration goes on using what they point to. For every other
/// socket they are NULL. The descriptor is closed on exec.
int cxdp_open_socket(struct xsk_socket** socket, const char* interface, uint32_t queue,
                     struct xsk_umem* umem, struct xsk_ring_prod* fill,
                     struct xsk_ring_cons* completion, cxdp_rings* rings,
                     const struct xsk_socket_config* configuration);

/// Whether the kernel bound the socket in zero-copy mode.
bool cxdp_is_zero_copy(int descriptor);

/// Lets one wakeup send a whole TX ring: raises the frames a call may send, where the kernel has
/// that option (Linux 6.17), and the socket's send buffer, which counts frames under way.
void cxdp_raise_send_limits(int descriptor, uint32_t ring_capacity);

/// Reads the kernel's counters of a socket. Returns 0 or -errno.
int cxdp_read_statistics(int descriptor, struct xdp_statistics* statistics);

/// Asks the kernel to send what is on the TX ring. Returns 0 or the errno.
int cxdp_wakeup(int descriptor);
