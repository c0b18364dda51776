// SPDX-License-Identifier: Apache-2.0

#include "CXDP.h"

#include <errno.h>
#include <sys/socket.h>

#ifndef SOL_XDP
#define SOL_XDP 283
#endif

// Linux 6.17; the headers of this distribution are older.
#define CXDP_MAX_TX_SKB_BUDGET 9

_Static_assert(sizeof(struct xdp_desc) == 16, "descriptors are 16 bytes");

int cxdp_open_socket(struct xsk_socket** socket, const char* interface, uint32_t queue,
                     struct xsk_umem* umem, cxdp_rings* rings,
                     const struct xsk_socket_config* configuration) {
  return xsk_socket__create_shared(socket, interface, queue, umem, &rings->receive,
                                   &rings->transmit, &rings->fill, &rings->completion,
                                   configuration);
}

bool cxdp_is_zero_copy(int descriptor) {
  struct xdp_options options = {0};
  socklen_t length = sizeof options;
  if (getsockopt(descriptor, SOL_XDP, XDP_OPTIONS, &options, &length)) return false;
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
