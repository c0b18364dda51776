// SPDX-License-Identifier: Apache-2.0
//
// Tells the instruction counter (valgrind's callgrind) where what it shall count begins and ends.
// Outside of valgrind each of these is a handful of instructions without effect.

#pragma once

#include <stdbool.h>
#include <valgrind/callgrind.h>

/// Whether somebody counts.
static inline bool ccounting_is_counting(void) { return RUNNING_ON_VALGRIND > 0; }

/// From here on the counter watches; what runs before is several times faster.
static inline void ccounting_watch(void) { CALLGRIND_START_INSTRUMENTATION; }

/// Counts from here on if it did not, and the other way round.
static inline void ccounting_toggle(void) { CALLGRIND_TOGGLE_COLLECT; }

/// Writes a report with this name of what was counted since the last one, and stops watching.
static inline void ccounting_report(const char* name) {
  CALLGRIND_DUMP_STATS_AT(name);
  CALLGRIND_STOP_INSTRUMENTATION;
}
