// SPDX-License-Identifier: Apache-2.0

// Stands before the C library's allocator and counts calls, for each thread on its own. The
// executable's symbols come first in the dynamic linker's order, so the Swift runtime's allocations
// come through here too. The library's own names with __libc_ do the work; looking them up with
// dlsym could allocate.

#include "CAllocationCounter.h"

#include <errno.h>
#include <stddef.h>

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INTERPOSES 0
#else
#define INTERPOSES 1
#endif

static _Thread_local uint64_t allocations __attribute__((tls_model("initial-exec")));
static _Thread_local int counting __attribute__((tls_model("initial-exec")));

void cac_begin(void) {
  allocations = 0;
  counting = 1;
}

uint64_t cac_end(void) {
  counting = 0;
  return allocations;
}

bool cac_is_available(void) { return INTERPOSES; }

#if INTERPOSES

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

static inline void count(void) {
  if (counting)
    allocations++;
}

void* malloc(size_t size) {
  count();
  return __libc_malloc(size);
}

void* calloc(size_t number, size_t size) {
  count();
  return __libc_calloc(number, size);
}

void* realloc(void* old, size_t size) {
  count();
  return __libc_realloc(old, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}

void* memalign(size_t alignment, size_t size) {
  count();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** result, size_t alignment, size_t size) {
  count();
  if (alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0)
    return EINVAL;
  void* memory = __libc_memalign(alignment, size);
  if (memory == NULL)
    return ENOMEM;
  *result = memory;
  return 0;
}

#endif
