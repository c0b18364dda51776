// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// From here on the calling thread's allocations are counted, from 0.
void cac_begin(void);

/// Stops counting on the calling thread; returns how many allocations it made.
uint64_t cac_end(void);

/// Whether allocations can be counted; under a sanitizer, which has an allocator of its own, not.
bool cac_is_available(void);
