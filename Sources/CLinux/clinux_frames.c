// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux_frames.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BURST_MAX = 64 };

int clinux_open_frame_sender(void) {
  // Protocol 0 binds to nothing: the socket's queue stays empty.
  int descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return -errno;
  int on = 1;
  if (setsockopt(descriptor, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on)) {
    int error = errno;
    close(descriptor);
    return -error;
  }
  // Frames count against the buffer until the other end has taken them.
  int bytes = 1 << 20;
  if (setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes))
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  return descriptor;
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

int clinux_send_burst(int descriptor, int interface_index, const void* frames, size_t length,
                      size_t count, uint64_t* nanoseconds) {
  if (length < ETH_HLEN || count == 0 || count > BURST_MAX)
    return -EINVAL;
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET,
      .sll_ifindex = interface_index,
      .sll_halen = ETH_ALEN,
  };
  memcpy(address.sll_addr, frames, ETH_ALEN);
  memcpy(&address.sll_protocol, (const char*)frames + 2 * ETH_ALEN, sizeof address.sll_protocol);
  struct iovec vectors[BURST_MAX];
  struct mmsghdr messages[BURST_MAX] = {0};
  for (size_t index = 0; index < count; index++) {
    vectors[index].iov_base = (char*)frames + index * length;
    vectors[index].iov_len = length;
    messages[index].msg_hdr.msg_name = &address;
    messages[index].msg_hdr.msg_namelen = sizeof address;
    messages[index].msg_hdr.msg_iov = &vectors[index];
    messages[index].msg_hdr.msg_iovlen = 1;
  }
  size_t sent = 0;
  int error = 0;
  uint64_t start = now();
  while (sent < count && !error) {
    int more = sendmmsg(descriptor, messages + sent, (unsigned)(count - sent), MSG_DONTWAIT);
    if (more > 0)
      sent += (size_t)more;
    else if (errno != EINTR)
      error = errno;
  }
  *nanoseconds = now() - start;
  return sent > 0 ? (int)sent : -error;
}
