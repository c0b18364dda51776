// SPDX-License-Identifier: Apache-2.0

#include "cprobe_sealing.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { key_max = 64, key_length = 32, tag_length = 16 };

struct sealer {
  struct cprobe_texts texts;
  uint8_t* memory;
  size_t length;
  uint8_t keys[key_max][key_length];
};

static struct sealer* sealer_of(uint64_t number) { return (struct sealer*)(uintptr_t)number; }

uint64_t cprobe_make_sealer(struct cprobe_texts texts) {
  if (sodium_init() < 0 || texts.key_count == 0 || texts.key_count > key_max ||
      texts.offset < tag_length ||
      (uint64_t)texts.offset + texts.length + tag_length > texts.stride ||
      (texts.cipher == CPROBE_AES256GCM && !crypto_aead_aes256gcm_is_available()))
    return 0;
  struct sealer* sealer = calloc(1, sizeof *sealer);
  if (!sealer)
    return 0;
  sealer->texts = texts;
  sealer->length = (size_t)texts.count * texts.stride;
  // Shared, as a worker's frame memory is, so that both have pages of the same kind.
  sealer->memory =
      mmap(NULL, sealer->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (sealer->memory == MAP_FAILED) {
    free(sealer);
    return 0;
  }
  for (size_t index = 0; index < sealer->length; index++)
    sealer->memory[index] = (uint8_t)index;
  randombytes_buf(sealer->keys, sizeof sealer->keys);
  return (uintptr_t)sealer;
}

void cprobe_free_sealer(uint64_t number) {
  struct sealer* sealer = sealer_of(number);
  munmap(sealer->memory, sealer->length);
  free(sealer);
}

/// Seals or opens one text where it is.
static inline bool change(enum cprobe_cipher cipher, bool seals, uint8_t* text, uint32_t length,
                          const uint8_t* nonce, const uint8_t* key) {
  switch (cipher) {
  case CPROBE_SECRETBOX:
    // The tag is before the text: it stays where it is.
    return (seals ? crypto_secretbox_easy(text - tag_length, text, length, nonce, key)
                  : crypto_secretbox_open_easy(text, text - tag_length, length + tag_length, nonce,
                                               key)) == 0;
  case CPROBE_AES256GCM:
    return (seals
                ? crypto_aead_aes256gcm_encrypt(text, NULL, text, length, NULL, 0, NULL, nonce, key)
                : crypto_aead_aes256gcm_decrypt(text, NULL, NULL, text, length + tag_length, NULL,
                                                0, nonce, key)) == 0;
  default:
    return (seals ? crypto_aead_chacha20poly1305_ietf_encrypt(text, NULL, text, length, NULL, 0,
                                                              NULL, nonce, key)
                  : crypto_aead_chacha20poly1305_ietf_decrypt(
                        text, NULL, NULL, text, length + tag_length, NULL, 0, nonce, key)) == 0;
  }
}

/// Seals or opens texts in a row; returns how many could be.
static inline uint64_t change_all(const struct sealer* sealer, bool seals, uint32_t first,
                                  uint32_t count, uint64_t round) {
  const struct cprobe_texts texts = sealer->texts;
  uint8_t nonce[crypto_secretbox_NONCEBYTES] = {0};
  uint8_t* text = sealer->memory + (size_t)first * texts.stride + texts.offset;
  uint64_t changed = 0;
  uint32_t key = first % texts.key_count;
  for (uint32_t index = first; index < first + count; index++, text += texts.stride) {
    const uint64_t number = round * texts.count + index;
    memcpy(nonce, &number, sizeof number);
    changed += change(texts.cipher, seals, text, texts.length, nonce, sealer->keys[key]);
    key = key + 1 == texts.key_count ? 0 : key + 1;
  }
  return changed;
}

uint64_t cprobe_seal(uint64_t sealer, uint32_t first, uint32_t count, uint64_t round) {
  return change_all(sealer_of(sealer), true, first, count, round);
}

uint64_t cprobe_open(uint64_t sealer, uint32_t first, uint32_t count, uint64_t round) {
  return change_all(sealer_of(sealer), false, first, count, round);
}
