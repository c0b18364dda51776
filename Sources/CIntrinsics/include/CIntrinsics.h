// SPDX-License-Identifier: Apache-2.0
//
// What the processor can do and Swift has no word for: ordered accesses to memory that another
// thread, or the kernel, writes as well; prefetch; pause; the time-stamp counter.
//
// Swift's own atomics own their storage. The words touched here live in mapped memory, and the
// kernel is on the other side of some of them, so the ordering is given per access.

#pragma once

#include <stdint.h>

/// Reads a word another side publishes with a release store.
static inline uint32_t cintrinsics_load_acquire_32(const uint32_t* word) {
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/// Publishes a word; everything written before is seen by whoever acquires it.
static inline void cintrinsics_store_release_32(uint32_t* word, uint32_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline uint32_t cintrinsics_load_relaxed_32(const uint32_t* word) {
  return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint64_t cintrinsics_load_acquire_64(const uint64_t* word) {
  return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void cintrinsics_store_release_64(uint64_t* word, uint64_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline uint64_t cintrinsics_load_relaxed_64(const uint64_t* word) {
  return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void cintrinsics_store_relaxed_64(uint64_t* word, uint64_t value) {
  __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline uint8_t cintrinsics_load_relaxed_8(const uint8_t* byte) {
  return __atomic_load_n(byte, __ATOMIC_RELAXED);
}

static inline void cintrinsics_store_relaxed_8(uint8_t* byte, uint8_t value) {
  __atomic_store_n(byte, value, __ATOMIC_RELAXED);
}

/// Adds to a word that several write.
static inline void cintrinsics_add_relaxed_64(uint64_t* word, uint64_t value) {
  __atomic_fetch_add(word, value, __ATOMIC_RELAXED);
}

/// Adds to a word that several write and returns what it was before, to each something else.
static inline uint64_t cintrinsics_fetch_add_relaxed_64(uint64_t* word, uint64_t value) {
  return __atomic_fetch_add(word, value, __ATOMIC_RELAXED);
}

/// Sets a word if it is `expected`; returns what it was, which is `expected` only if it was set.
static inline uint64_t cintrinsics_compare_exchange_relaxed_64(uint64_t* word, uint64_t expected,
                                                               uint64_t value) {
  __atomic_compare_exchange_n(word, &expected, value, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}

/// Sets a word and returns what it was before; a full barrier.
static inline uint32_t cintrinsics_exchange_32(uint32_t* word, uint32_t value) {
  return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

/// Orders every earlier access before every later one, stores before loads included.
static inline void cintrinsics_fence_full(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static inline void cintrinsics_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }

static inline void cintrinsics_fence_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }

/// Asks for the cache line of `address`, to be read soon.
static inline void cintrinsics_prefetch(const void* address) { __builtin_prefetch(address, 0, 3); }

/// Tells the core that this is a spin loop.
static inline void cintrinsics_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Reads the time-stamp counter; ticks at a constant rate on every machine this runs on.
static inline uint64_t cintrinsics_ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t value;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#endif
}
