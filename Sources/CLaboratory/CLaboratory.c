// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CLaboratory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  /// Bytes in one call.
  CHUNK = 64 * 1024,
  /// The stream repeats after this many bytes, which is a prime: a lost or doubled segment shows.
  PERIOD = 65521,
  CALL_MICROSECONDS = 50 * 1000,
  DATAGRAM_MAX = 2048,
};

static int result_or_error(int result) { return result < 0 ? -errno : result; }

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static struct sockaddr_in endpoint(uint32_t address, uint16_t port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET,
      .sin_port = htons(port),
      .sin_addr.s_addr = htonl(address),
  };
}

/// Closes a socket after a failure and gives the errno of it.
static int give_up(int descriptor) {
  int error = errno;
  close(descriptor);
  return -error;
}

static int bound_calls(int descriptor) {
  struct timeval limit = {.tv_usec = CALL_MICROSECONDS};
  if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
      setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
    return -errno;
  return 0;
}

int claboratory_set_feature(int interface_index, uint32_t command, uint32_t value) {
  struct ifreq request = {0};
  if (!if_indextoname((unsigned)interface_index, request.ifr_name))
    return -errno;
  struct ethtool_value feature = {.cmd = command, .data = value};
  request.ifr_data = (char*)&feature;
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return -errno;
  if (ioctl(descriptor, SIOCETHTOOL, &request) < 0)
    return give_up(descriptor);
  close(descriptor);
  return 0;
}

int claboratory_go_first(void) {
  struct sched_param parameters = {.sched_priority = 1};
  return result_or_error(sched_setscheduler(0, SCHED_FIFO, &parameters));
}

int claboratory_listen(uint32_t address, uint16_t port) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return -errno;
  int one = 1;
  struct sockaddr_in place = endpoint(address, port);
  if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
      bind(descriptor, (struct sockaddr*)&place, sizeof place) < 0 || listen(descriptor, 1) < 0)
    return give_up(descriptor);
  int bounded = bound_calls(descriptor);
  if (bounded == 0)
    return descriptor;
  close(descriptor);
  return bounded;
}

int claboratory_accept(int listener) {
  int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (descriptor < 0)
    return -errno;
  return bound_calls(descriptor) < 0 ? give_up(descriptor) : descriptor;
}

int claboratory_connect(uint32_t address, uint16_t port) {
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return -errno;
  // A connection may take longer than a later call.
  struct timeval limit = {.tv_sec = 5};
  struct sockaddr_in place = endpoint(address, port);
  if (setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
      connect(descriptor, (struct sockaddr*)&place, sizeof place) < 0 ||
      bound_calls(descriptor) < 0)
    return give_up(descriptor);
  return descriptor;
}

/// Two and a bit periods of the stream, so that any chunk of it is in one piece.
static uint8_t pattern[PERIOD + CHUNK];
static pthread_once_t pattern_is_there = PTHREAD_ONCE_INIT;

static void make_pattern(void) {
  uint32_t state = 1;
  for (int index = 0; index < PERIOD; index++) {
    state = state * 1664525 + 1013904223;
    pattern[index] = (uint8_t)(state >> 24);
  }
  for (int index = PERIOD; index < PERIOD + CHUNK; index++)
    pattern[index] = pattern[index - PERIOD];
}

static const uint8_t* stream_at(uint64_t offset) {
  pthread_once(&pattern_is_there, make_pattern);
  return pattern + offset % PERIOD;
}

int64_t claboratory_send(int descriptor, uint64_t offset, uint64_t until) {
  int64_t sent = 0;
  while (now() < until) {
    ssize_t taken = send(descriptor, stream_at(offset + (uint64_t)sent), CHUNK, MSG_NOSIGNAL);
    if (taken > 0)
      sent += taken;
    else if (taken < 0 && errno != EAGAIN && errno != EINTR)
      return -errno;
  }
  return sent;
}

int64_t claboratory_receive(int descriptor, uint64_t offset, uint64_t until) {
  uint8_t chunk[CHUNK];
  int64_t received = 0;
  while (now() < until) {
    ssize_t length = recv(descriptor, chunk, sizeof chunk, 0);
    if (length == 0)
      return received > 0 ? received : -ENODATA;
    if (length < 0 && errno != EAGAIN && errno != EINTR)
      return -errno;
    if (length < 0)
      continue;
    if (memcmp(chunk, stream_at(offset + (uint64_t)received), (size_t)length) != 0)
      return -EBADMSG;
    received += length;
  }
  return received;
}

int claboratory_finish(int descriptor) { return result_or_error(shutdown(descriptor, SHUT_WR)); }

int64_t claboratory_retransmissions(int descriptor) {
  struct tcp_info information = {0};
  socklen_t length = sizeof information;
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &information, &length) < 0)
    return -errno;
  return information.tcpi_total_retrans;
}

int claboratory_open_datagrams(uint32_t local, uint32_t remote, uint16_t port) {
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return -errno;
  struct sockaddr_in here = endpoint(local, port);
  struct sockaddr_in there = endpoint(remote, port);
  if (bind(descriptor, (struct sockaddr*)&here, sizeof here) < 0 ||
      connect(descriptor, (struct sockaddr*)&there, sizeof there) < 0 ||
      bound_calls(descriptor) < 0)
    return give_up(descriptor);
  return descriptor;
}

int64_t claboratory_ping(int descriptor, uint64_t number, uint32_t length) {
  uint8_t question[DATAGRAM_MAX] = {0};
  uint8_t answer[DATAGRAM_MAX];
  if (length < sizeof number || length > sizeof question)
    return -EINVAL;
  memcpy(question, &number, sizeof number);
  uint64_t started = now();
  if (send(descriptor, question, length, MSG_NOSIGNAL) < 0)
    return -errno;
  while (now() < started + 500000000) {
    ssize_t got = recv(descriptor, answer, sizeof answer, 0);
    if (got < 0 && errno != EAGAIN && errno != EINTR)
      return -errno;
    // What is not the answer is a late one to an earlier question.
    if (got == (ssize_t)length && memcmp(question, answer, length) == 0)
      return (int64_t)(now() - started);
  }
  return -ETIMEDOUT;
}

int64_t claboratory_echo(int descriptor, uint64_t until) {
  uint8_t datagram[DATAGRAM_MAX];
  int64_t count = 0;
  while (now() < until) {
    ssize_t length = recv(descriptor, datagram, sizeof datagram, 0);
    if (length < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED)
      return -errno;
    if (length > 0 && send(descriptor, datagram, (size_t)length, MSG_NOSIGNAL) == length)
      count++;
  }
  return count;
}
