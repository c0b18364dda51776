// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <stddef.h>
#include <stdint.h>

/// Makes an anonymous file for shared memory, closed on exec. Returns a descriptor or -errno.
int clinux_memory_file(const char* name);

/// Pins the calling thread to one core. Returns 0 or -errno.
int clinux_pin_thread(unsigned core);

/// Lets the calling thread, and those it starts, run on `cores` only. Returns 0 or -errno.
int clinux_restrict_thread(const unsigned* cores, size_t count);

/// Writes the cores the calling thread may run on to `cores` and returns how many there are, at
/// most `capacity` of them written; or -errno.
int clinux_allowed_cores(unsigned* cores, size_t capacity);

/// Keeps the process's memory out of core dumps, whoever would take them, and out of reach of other
/// processes without CAP_SYS_PTRACE. Returns 0 or -errno.
int clinux_forbid_dumps(void);

/// Starts a detached-from-nothing POSIX thread named `name` (15 bytes at most) that runs
/// `body(context)`. Returns 0 or -errno.
int clinux_start_thread(const char* name, uint64_t* thread, void (*body)(void*), void* context);

/// The same, for a thread that runs on one core from its first instruction on. Returns -EINVAL if
/// this process may not use that core.
int clinux_start_pinned_thread(unsigned core, const char* name, uint64_t* thread,
                               void (*body)(void*), void* context);

/// Waits until a thread started by one of these has returned.
int clinux_join_thread(uint64_t thread);

/// Makes an event counter, non-blocking, closed on exec. Returns a descriptor or -errno.
int clinux_event(void);

/// Adds one to an event counter.
void clinux_event_signal(int descriptor);

/// Sets an event counter to zero.
void clinux_event_clear(int descriptor);

/// Makes an epoll instance, closed on exec. Returns a descriptor or -errno.
int clinux_poller(void);

/// Watches `descriptor` for input, as `number`. Returns 0 or -errno.
int clinux_poller_add(int poller, int descriptor, uint32_t number);

/// Watches `descriptor` no more. Returns 0 or -errno.
int clinux_poller_remove(int poller, int descriptor);

/// Writes the numbers of watched descriptors that have input, at most `capacity` (64 at most), and
/// returns how many, or -errno. Does not wait.
int clinux_poller_ready(int poller, uint32_t* numbers, int capacity);

/// Claims `name` in this network namespace until the returned descriptor is closed, by binding an
/// abstract unix socket to it. Returns a descriptor, or -EADDRINUSE if somebody has it, or -errno.
int clinux_claim_name(const char* name);
