// SPDX-License-Identifier: Apache-2.0

#include "CCiphers.h"

#include <sodium.h>
#include <stddef.h>
#include <string.h>

// Intel's library exists for this architecture alone. `CCIPHERS_WITHOUT_LIBRARY` builds here what
// the others get.
#if defined(__x86_64__) && !defined(CCIPHERS_WITHOUT_LIBRARY)

#include <intel-ipsec-mb.h>
#include <pthread.h>

_Static_assert(sizeof(struct gcm_key_data) == CCIPHERS_AES256GCM_KEY_LENGTH,
               "the expanded key has the length that is promised");

enum { tag_length = 16 };

/// Filled in once and never freed: threads may use it as long as the process lives. NULL where the
/// processor lacks what the library needs, which is AES-NI among others.
static IMB_MGR* library;

static void prepare(void) {
  IMB_MGR* manager = alloc_mb_mgr(0);
  if (manager == NULL)
    return;
  init_mb_mgr_auto(manager, NULL);
  if (imb_get_errno(manager) != 0 || manager->gcm256_enc == NULL ||
      manager->chacha20_poly1305_init == NULL) {
    free_mb_mgr(manager);
    return;
  }
  library = manager;
}

bool cciphers_has_aes(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare);
  const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
  return library != NULL && (library->features & needed) == needed;
}

/// Zeroes memory in a way that the compiler does not leave out, without a call where it is short.
static inline void forget(void* memory, size_t length) {
  memset(memory, 0, length);
  __asm__ volatile("" : : "r"(memory) : "memory");
}

static inline bool is_same_tag(const uint8_t* tag, const uint8_t* other) {
  uint64_t left[2], right[2];
  memcpy(left, tag, tag_length);
  memcpy(right, other, tag_length);
  return ((left[0] ^ right[0]) | (left[1] ^ right[1])) == 0;
}

void cciphers_aes256gcm_expand(const uint8_t* key, void* expanded) {
  IMB_AES256_GCM_PRE(library, key, expanded);
}

void cciphers_aes256gcm_seal(const void* expanded, const uint8_t* nonce, const uint8_t* associated,
                             uint64_t associated_length, uint8_t* text, uint64_t length,
                             uint8_t* tag) {
  struct gcm_context_data context;
  IMB_AES256_GCM_ENC(library, expanded, &context, text, text, length, nonce, associated,
                     associated_length, tag, tag_length);
  forget(&context, sizeof context);
}

bool cciphers_aes256gcm_open(const void* expanded, const uint8_t* nonce, const uint8_t* associated,
                             uint64_t associated_length, uint8_t* text, uint64_t length,
                             const uint8_t* tag) {
  struct gcm_context_data context;
  uint8_t expected[tag_length];
  IMB_AES256_GCM_DEC(library, expanded, &context, text, text, length, nonce, associated,
                     associated_length, expected, tag_length);
  forget(&context, sizeof context);
  const bool is_authentic = is_same_tag(expected, tag);
  // The right tag of somebody's text is a secret.
  forget(expected, sizeof expected);
  return is_authentic;
}

void cciphers_chacha20poly1305_seal(const uint8_t* key, const uint8_t* nonce,
                                    const uint8_t* associated, uint64_t associated_length,
                                    uint8_t* text, uint64_t length, uint8_t* tag) {
  if (library == NULL) {
    cciphers_portable_chacha20poly1305_seal(key, nonce, associated, associated_length, text, length,
                                            tag);
    return;
  }
  struct chacha20_poly1305_context_data context;
  IMB_CHACHA20_POLY1305_INIT(library, key, &context, nonce, associated, associated_length);
  IMB_CHACHA20_POLY1305_ENC_UPDATE(library, key, &context, text, text, length);
  IMB_CHACHA20_POLY1305_ENC_FINALIZE(library, &context, tag, tag_length);
  forget(&context, sizeof context);
}

bool cciphers_chacha20poly1305_open(const uint8_t* key, const uint8_t* nonce,
                                    const uint8_t* associated, uint64_t associated_length,
                                    uint8_t* text, uint64_t length, const uint8_t* tag) {
  if (library == NULL)
    return cciphers_portable_chacha20poly1305_open(key, nonce, associated, associated_length, text,
                                                   length, tag);
  struct chacha20_poly1305_context_data context;
  uint8_t expected[tag_length];
  IMB_CHACHA20_POLY1305_INIT(library, key, &context, nonce, associated, associated_length);
  IMB_CHACHA20_POLY1305_DEC_UPDATE(library, key, &context, text, text, length);
  IMB_CHACHA20_POLY1305_DEC_FINALIZE(library, &context, expected, tag_length);
  forget(&context, sizeof context);
  const bool is_authentic = is_same_tag(expected, tag);
  forget(expected, sizeof expected);
  return is_authentic;
}

#else

bool cciphers_has_aes(void) { return false; }

// Nobody may call these three where there is no AES, and nothing may leave in clear if somebody
// does.

void cciphers_aes256gcm_expand(const uint8_t* key, void* expanded) {
  (void)key, (void)expanded;
  __builtin_trap();
}

void cciphers_aes256gcm_seal(const void* expanded, const uint8_t* nonce, const uint8_t* associated,
                             uint64_t associated_length, uint8_t* text, uint64_t length,
                             uint8_t* tag) {
  (void)expanded, (void)nonce, (void)associated, (void)associated_length;
  (void)text, (void)length, (void)tag;
  __builtin_trap();
}

bool cciphers_aes256gcm_open(const void* expanded, const uint8_t* nonce, const uint8_t* associated,
                             uint64_t associated_length, uint8_t* text, uint64_t length,
                             const uint8_t* tag) {
  (void)expanded, (void)nonce, (void)associated, (void)associated_length;
  (void)text, (void)length, (void)tag;
  __builtin_trap();
}

void cciphers_chacha20poly1305_seal(const uint8_t* key, const uint8_t* nonce,
                                    const uint8_t* associated, uint64_t associated_length,
                                    uint8_t* text, uint64_t length, uint8_t* tag) {
  cciphers_portable_chacha20poly1305_seal(key, nonce, associated, associated_length, text, length,
                                          tag);
}

bool cciphers_chacha20poly1305_open(const uint8_t* key, const uint8_t* nonce,
                                    const uint8_t* associated, uint64_t associated_length,
                                    uint8_t* text, uint64_t length, const uint8_t* tag) {
  return cciphers_portable_chacha20poly1305_open(key, nonce, associated, associated_length, text,
                                                 length, tag);
}

#endif

void cciphers_portable_chacha20poly1305_seal(const uint8_t* key, const uint8_t* nonce,
                                             const uint8_t* associated, uint64_t associated_length,
                                             uint8_t* text, uint64_t length, uint8_t* tag) {
  crypto_aead_chacha20poly1305_ietf_encrypt_detached(text, tag, NULL, text, length, associated,
                                                     associated_length, NULL, nonce, key);
}

bool cciphers_portable_chacha20poly1305_open(const uint8_t* key, const uint8_t* nonce,
                                             const uint8_t* associated, uint64_t associated_length,
                                             uint8_t* text, uint64_t length, const uint8_t* tag) {
  return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
             text, NULL, text, length, tag, associated, associated_length, nonce, key) == 0;
}
