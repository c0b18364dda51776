// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux_datagrams.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// What C libraries older than these options lack.
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

enum {
  RECEIVED_CONTROL = CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(int)),
  SENT_CONTROL = CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)),
};

static int set(int descriptor, int level, int option, int value) {
  return setsockopt(descriptor, level, option, &value, sizeof value) ? -errno : 0;
}

/// Asks for a buffer beyond the system's limit, and if that is not for us up to the limit.
static void set_buffer(int descriptor, int forced, int option, int length) {
  if (set(descriptor, SOL_SOCKET, forced, length))
    set(descriptor, SOL_SOCKET, option, length);
}

static int prepare(int descriptor, const struct clinux_datagram_options* options) {
  int error = 0;
  if (options->is_shared)
    error = set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1);
  if (!error)
    error = set(descriptor, IPPROTO_IP, IP_PKTINFO, 1);
  if (!error)
    error = clinux_set_fragmentation(descriptor, false);
  if (error)
    return error;
  if (options->is_joined)
    set(descriptor, IPPROTO_UDP, UDP_GRO, 1);
  set_buffer(descriptor, SO_RCVBUFFORCE, SO_RCVBUF, (int)options->buffer_length);
  set_buffer(descriptor, SO_SNDBUFFORCE, SO_SNDBUF, (int)options->buffer_length);
  struct sockaddr_in local = {
      .sin_family = AF_INET,
      .sin_port = htons(options->port),
      .sin_addr.s_addr = htonl(options->address),
  };
  return bind(descriptor, (struct sockaddr*)&local, sizeof local) ? -errno : 0;
}

int clinux_open_datagrams(const struct clinux_datagram_options* options) {
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return -errno;
  int error = prepare(descriptor, options);
  if (error) {
    close(descriptor);
    return error;
  }
  return descriptor;
}

bool clinux_cuts_datagrams(int descriptor) {
  return set(descriptor, IPPROTO_UDP, UDP_SEGMENT, 0) == 0;
}

int clinux_set_fragmentation(int descriptor, bool may_fragment) {
  int value = may_fragment ? IP_PMTUDISC_DONT : IP_PMTUDISC_PROBE;
  return set(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, value);
}

/// Takes what a received message's control messages say.
static void read_control(struct msghdr* header, struct clinux_received_datagrams* received) {
  for (struct cmsghdr* entry = CMSG_FIRSTHDR(header); entry; entry = CMSG_NXTHDR(header, entry)) {
    if (entry->cmsg_level == IPPROTO_IP && entry->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(entry), sizeof info);
      received->local = ntohl(info.ipi_addr.s_addr);
    } else if (entry->cmsg_level == IPPROTO_UDP && entry->cmsg_type == UDP_GRO) {
      int length;
      memcpy(&length, CMSG_DATA(entry), sizeof length);
      received->segment_length = (uint16_t)length;
    }
  }
}

int clinux_receive_datagrams(int descriptor, void* buffers, size_t stride,
                             struct clinux_received_datagrams* received, unsigned count) {
  if (count > CLINUX_RECEIVED_MAX)
    count = CLINUX_RECEIVED_MAX;
  struct mmsghdr messages[CLINUX_RECEIVED_MAX];
  struct iovec vectors[CLINUX_RECEIVED_MAX];
  struct sockaddr_in sources[CLINUX_RECEIVED_MAX];
  _Alignas(struct cmsghdr) char control[CLINUX_RECEIVED_MAX][RECEIVED_CONTROL];
  for (unsigned index = 0; index < count; index++) {
    vectors[index].iov_base = (char*)buffers + index * stride;
    vectors[index].iov_len = stride;
    messages[index].msg_hdr = (struct msghdr){
        .msg_name = &sources[index],
        .msg_namelen = sizeof sources[index],
        .msg_iov = &vectors[index],
        .msg_iovlen = 1,
        .msg_control = control[index],
        .msg_controllen = sizeof control[index],
    };
  }
  int got = recvmmsg(descriptor, messages, count, MSG_DONTWAIT, NULL);
  if (got < 0)
    return -errno;
  for (int index = 0; index < got; index++) {
    received[index] = (struct clinux_received_datagrams){
        .source = ntohl(sources[index].sin_addr.s_addr),
        .source_port = ntohs(sources[index].sin_port),
        .length = messages[index].msg_len,
        .is_cut = messages[index].msg_hdr.msg_flags & MSG_TRUNC,
    };
    read_control(&messages[index].msg_hdr, &received[index]);
  }
  return got;
}

/// Writes the control messages of a message to be sent; returns how long they are.
static size_t write_control(const struct clinux_sent_datagrams* message, char* control) {
  size_t length = 0;
  if (message->source) {
    struct cmsghdr* entry = (struct cmsghdr*)control;
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(message->source)};
    entry->cmsg_level = IPPROTO_IP;
    entry->cmsg_type = IP_PKTINFO;
    entry->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(entry), &info, sizeof info);
    length += CMSG_SPACE(sizeof info);
  }
  if (message->segment_length) {
    struct cmsghdr* entry = (struct cmsghdr*)(control + length);
    entry->cmsg_level = IPPROTO_UDP;
    entry->cmsg_type = UDP_SEGMENT;
    entry->cmsg_len = CMSG_LEN(sizeof message->segment_length);
    memcpy(CMSG_DATA(entry), &message->segment_length, sizeof message->segment_length);
    length += CMSG_SPACE(sizeof message->segment_length);
  }
  return length;
}

int clinux_send_datagrams(int descriptor, const struct clinux_sent_datagrams* messages,
                          unsigned count, const struct iovec* pieces) {
  if (count > CLINUX_SENT_MAX)
    count = CLINUX_SENT_MAX;
  struct mmsghdr headers[CLINUX_SENT_MAX];
  struct sockaddr_in destinations[CLINUX_SENT_MAX];
  _Alignas(struct cmsghdr) char control[CLINUX_SENT_MAX][SENT_CONTROL];
  for (unsigned index = 0; index < count; index++) {
    const struct clinux_sent_datagrams* message = &messages[index];
    size_t control_length = write_control(message, control[index]);
    destinations[index] = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(message->destination_port),
        .sin_addr.s_addr = htonl(message->destination),
    };
    headers[index].msg_hdr = (struct msghdr){
        .msg_name = &destinations[index],
        .msg_namelen = sizeof destinations[index],
        .msg_iov = (struct iovec*)&pieces[message->first_piece],
        .msg_iovlen = message->piece_count,
        .msg_control = control_length ? control[index] : NULL,
        .msg_controllen = control_length,
    };
  }
  int sent = sendmmsg(descriptor, headers, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? -errno : sent;
}

int clinux_dropped_datagrams(int descriptor, uint32_t* count) {
  uint32_t values[SK_MEMINFO_VARS] = {0};
  socklen_t length = sizeof values;
  if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, values, &length))
    return -errno;
  *count = values[SK_MEMINFO_DROPS];
  return 0;
}
