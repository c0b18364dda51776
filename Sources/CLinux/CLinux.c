// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int result_or_error(int result) { return result < 0 ? -errno : result; }

int clinux_memory_file(const char* name) {
  return result_or_error(memfd_create(name, MFD_CLOEXEC));
}

int clinux_restrict_thread(const unsigned* cores, size_t count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (size_t index = 0; index < count; index++) {
    if (cores[index] >= CPU_SETSIZE)
      return -EINVAL;
    CPU_SET(cores[index], &set);
  }
  return result_or_error(sched_setaffinity(0, sizeof set, &set));
}

int clinux_pin_thread(unsigned core) { return clinux_restrict_thread(&core, 1); }

int clinux_allowed_cores(unsigned* cores, size_t capacity) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) < 0)
    return -errno;
  int count = 0;
  for (unsigned core = 0; core < CPU_SETSIZE; core++) {
    if (!CPU_ISSET(core, &set))
      continue;
    if ((size_t)count < capacity)
      cores[count] = core;
    count++;
  }
  return count;
}

int clinux_forbid_dumps(void) {
  // A program that core_pattern pipes dumps to gets them whatever the limit is: both are needed.
  struct rlimit none = {0, 0};
  int limited = result_or_error(setrlimit(RLIMIT_CORE, &none));
  int hidden = result_or_error(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
  return hidden < 0 ? hidden : limited;
}

struct start {
  void (*body)(void*);
  void* context;
};

static void* run(void* argument) {
  struct start start = *(struct start*)argument;
  free(argument);
  start.body(start.context);
  return NULL;
}

static int start_thread(const pthread_attr_t* attributes, const char* name, uint64_t* thread,
                        void (*body)(void*), void* context) {
  struct start* start = malloc(sizeof *start);
  if (!start)
    return -ENOMEM;
  *start = (struct start){body, context};
  pthread_t created;
  int error = pthread_create(&created, attributes, run, start);
  if (error) {
    free(start);
    return -error;
  }
  char shortened[16];
  strncpy(shortened, name, sizeof shortened - 1);
  shortened[sizeof shortened - 1] = 0;
  pthread_setname_np(created, shortened);
  *thread = (uint64_t)created;
  return 0;
}

int clinux_start_thread(const char* name, uint64_t* thread, void (*body)(void*), void* context) {
  return start_thread(NULL, name, thread, body, context);
}

int clinux_start_pinned_thread(unsigned core, const char* name, uint64_t* thread,
                               void (*body)(void*), void* context) {
  if (core >= CPU_SETSIZE)
    return -EINVAL;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  pthread_attr_t attributes;
  int error = pthread_attr_init(&attributes);
  if (error)
    return -error;
  error = -pthread_attr_setaffinity_np(&attributes, sizeof set, &set);
  if (!error)
    error = start_thread(&attributes, name, thread, body, context);
  pthread_attr_destroy(&attributes);
  return error;
}

int clinux_join_thread(uint64_t thread) { return -pthread_join((pthread_t)thread, NULL); }

int clinux_event(void) { return result_or_error(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }

void clinux_event_signal(int descriptor) {
  uint64_t one = 1;
  // A full counter already wakes the reader, so a refused write loses nothing.
  ssize_t written = write(descriptor, &one, sizeof one);
  (void)written;
}

void clinux_event_clear(int descriptor) {
  uint64_t count;
  ssize_t taken = read(descriptor, &count, sizeof count);
  (void)taken;
}

int clinux_poller(void) { return result_or_error(epoll_create1(EPOLL_CLOEXEC)); }

int clinux_poller_add(int poller, int descriptor, uint32_t number) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
  return result_or_error(epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event));
}

int clinux_poller_remove(int poller, int descriptor) {
  return result_or_error(epoll_ctl(poller, EPOLL_CTL_DEL, descriptor, NULL));
}

int clinux_poller_ready(int poller, uint32_t* numbers, int capacity) {
  struct epoll_event events[64];
  if (capacity > 64)
    capacity = 64;
  int count = epoll_wait(poller, events, capacity, 0);
  for (int index = 0; index < count; index++)
    numbers[index] = events[index].data.u32;
  return result_or_error(count);
}

int clinux_claim_name(const char* name) {
  // A leading zero byte makes the name abstract: it belongs to the network namespace, has no file,
  // and goes with the process.
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(name);
  if (length > sizeof address.sun_path - 1)
    return -ENAMETOOLONG;
  memcpy(address.sun_path + 1, name, length);
  int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return -errno;
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + 1 + length;
  if (bind(descriptor, (struct sockaddr*)&address, size) == 0)
    return descriptor;
  int error = errno;
  close(descriptor);
  return -error;
}
