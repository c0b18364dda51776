// SPDX-License-Identifier: Apache-2.0

#include "CXDP.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

// Linux 6.17; the headers of this distribution are older.
#define CXDP_MAX_TX_SKB_BUDGET 9

_Static_assert(sizeof(struct xdp_desc) == 16, "descriptors are 16 bytes");

// libxdp asks for its descriptors without SOCK_CLOEXEC; a child started between its call and this
// one still inherits them.
static void close_on_exec(int descriptor) { fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

int cxdp_register_memory(struct xsk_umem** umem, void* memory, uint64_t length,
                         struct xsk_ring_prod* fill, struct xsk_ring_cons* completion,
                         const struct xsk_umem_config* configuration) {
  int result = xsk_umem__create(umem, memory, length, fill, completion, configuration);
  if (!result)
    close_on_exec(xsk_umem__fd(*umem));
  return result;
}

bool cxdp_knows_pieces(void) {
  int descriptor = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return false;
  // Flags are looked at before the interface, of which there is none with this number.
  struct sockaddr_xdp address = {.sxdp_family = AF_XDP, .sxdp_flags = XDP_COPY | CXDP_USE_PIECES};
  int result = bind(descriptor, (struct sockaddr*)&address, sizeof address);
  bool is_known = result && errno == ENODEV;
  close(descriptor);
  return is_known;
}

int cxdp_open_socket(struct xsk_socket** socket, const char* interface, uint32_t queue,
                     struct xsk_umem* umem, struct xsk_ring_prod* fill,
                     struct xsk_ring_cons* completion, cxdp_rings* rings,
                     const struct xsk_socket_config* configuration) {
  if (!fill)
    fill = &rings->fill;
  if (!completion)
    completion = &rings->completion;
  int result = xsk_socket__create_shared(socket, interface, queue, umem, &rings->receive,
                                         &rings->transmit, fill, completion, configuration);
  if (result)
    return result;
  rings->fill = *fill;
  rings->completion = *completion;
  close_on_exec(xsk_socket__fd(*socket));
  return 0;
}

bool cxdp_is_zero_copy(int descriptor) {
  struct xdp_options options = {0};
  socklen_t length = sizeof options;
  if (getsockopt(descriptor, SOL_XDP, XDP_OPTIONS, &options, &length))
    return false;
  return options.flags & XDP_OPTIONS_ZEROCOPY;
}

void cxdp_raise_send_limits(int descriptor, uint32_t ring_capacity) {
  int budget = (int)ring_capacity;
  setsockopt(descriptor, SOL_XDP, CXDP_MAX_TX_SKB_BUDGET, &budget, sizeof budget);
  int bytes = (int)ring_capacity * 4096;
  if (setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

int cxdp_read_statistics(int descriptor, struct xdp_statistics* statistics) {
  socklen_t length = sizeof *statistics;
  return getsockopt(descriptor, SOL_XDP, XDP_STATISTICS, statistics, &length) ? -errno : 0;
}

int cxdp_wakeup(int descriptor) {
  return sendto(descriptor, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? errno : 0;
}
