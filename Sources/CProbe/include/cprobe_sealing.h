// SPDX-License-Identifier: Apache-2.0
//
// What libsodium's calls that seal or open one text need for as many texts as a worker has: the
// competitor `libsodium` of pktbench. A sealer is a number, as a probe is.

#pragma once

#include <stdint.h>

/// What a sealer seals with.
enum cprobe_cipher {
  CPROBE_SECRETBOX,
  CPROBE_AES256GCM,
  CPROBE_CHACHA20POLY1305,
};

/// What is sealed, and where it is.
struct cprobe_texts {
  enum cprobe_cipher cipher;
  /// Texts; each begins `offset` bytes after a multiple of `stride`.
  uint32_t count;
  uint32_t stride;
  uint32_t offset;
  /// Bytes of each.
  uint32_t length;
  /// Keys, at most 64, which follow each other from text to text.
  uint32_t key_count;
};

/// Makes texts and keys. Returns 0 if there is no memory, no room for a tag before and behind each
/// text, or no such cipher on this processor.
uint64_t cprobe_make_sealer(struct cprobe_texts texts);

/// Gives a sealer's memory back.
void cprobe_free_sealer(uint64_t sealer);

/// Seals `count` texts from `first` on where they are; no text may be sealed twice in a `round`.
/// Returns how many that were.
uint64_t cprobe_seal(uint64_t sealer, uint32_t first, uint32_t count, uint64_t round);

/// Opens `count` texts from `first` on where they are, which were sealed in this `round`. Returns
/// how many opened.
uint64_t cprobe_open(uint64_t sealer, uint32_t first, uint32_t count, uint64_t round);
