// SPDX-License-Identifier: Apache-2.0
//
// What plain C needs for what the forwarding tables do: the competitors `c-probe` and `copy` of
// pktbench. `cprobe_sealing.h` has another one, `libsodium`. Nothing else depends on this module.
//
// Whoever calls this may hold no pointers, so that a probe and a copier are numbers: what
// `cprobe_make` and `cprobe_make_copier` return, until they are given back.

#pragma once

#include <stdint.h>

#include "cprobe_sealing.h"

/// Keys that `cprobe_look_up` looks up in one pass.
#define CPROBE_WANTED 262144

/// Frames that `cprobe_write_headers` goes through in one pass.
#define CPROBE_FRAMES 4096

/// Makes a table for `entries` keys: linear probing at a load of one half at most, in one piece of
/// memory, with slots of an 8-byte key and an 8-byte value. Returns 0 if there is no memory for it.
uint64_t cprobe_make(uint64_t entries);

/// Gives a probe's memory back.
void cprobe_free(uint64_t probe);

/// Stores `value`, which is below 64, for `key`, which is neither 0 nor above 48 bits nor there.
void cprobe_put(uint64_t probe, uint64_t key, uint64_t value);

/// Says which key is looked up in place `index`, which is below CPROBE_WANTED. The first
/// CPROBE_FRAMES of them are also the destinations of the frames.
void cprobe_want(uint64_t probe, uint64_t index, uint64_t key);

/// Looks every wanted key up, 32 at a time: hash and prefetch all of them, then probe. Returns the
/// sum of the values.
uint64_t cprobe_look_up(uint64_t probe);

/// For every frame, 32 at a time: reads the key out of it, looks it up, copies 50 bytes of headers
/// in front of it and patches two lengths in them. Returns the sum of the values.
uint64_t cprobe_write_headers(uint64_t probe);

/// Makes two blocks of `length` bytes that were written before. Returns 0 if there is no memory.
uint64_t cprobe_make_copier(uint64_t length);

/// Gives the blocks' memory back.
void cprobe_free_copier(uint64_t copier);

/// Copies the first block to the second.
void cprobe_copy(uint64_t copier);
