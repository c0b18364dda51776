// SPDX-License-Identifier: Apache-2.0
//
// AES-256-GCM and ChaCha20-Poly1305 as Intel's library for IPsec has them, which uses what the
// processor has of wide registers.
//
// Texts are sealed and opened where they are. A nonce has 12 bytes, a tag 16. All functions but
// `cciphers_prepare` and `cciphers_has_aes` must be called after one of these has returned true in
// this process. They may be called by any number of threads at the same time: nothing is shared
// but the table of functions that the library fills in once.

#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Bytes of an expanded key of AES-256-GCM, to be aligned to 64.
#define CCIPHERS_AES256GCM_KEY_LENGTH 1008

/// Loads the library's functions for this processor, once; false if it has none for it.
bool cciphers_prepare(void);

/// Whether the processor has instructions for AES and for GCM's multiplication; false as well if
/// the library is of no use here.
bool cciphers_has_aes(void);

/// Expands a key of 32 bytes into memory of the caller's.
void cciphers_aes256gcm_expand(const uint8_t* key, void* expanded);

/// Encrypts a text and writes its tag.
void cciphers_aes256gcm_seal(const void* expanded, const uint8_t* nonce, const uint8_t* associated,
                             uint64_t associated_length, uint8_t* text, uint64_t length,
                             uint8_t* tag);

/// Decrypts a text; it is to be used only if the tag was right, which is what is returned.
///
/// The comparison takes the same time wherever tags differ.
bool cciphers_aes256gcm_open(const void* expanded, const uint8_t* nonce, const uint8_t* associated,
                             uint64_t associated_length, uint8_t* text, uint64_t length,
                             const uint8_t* tag);

/// As `cciphers_aes256gcm_seal`, with a key of 32 bytes.
void cciphers_chacha20poly1305_seal(const uint8_t* key, const uint8_t* nonce,
                                    const uint8_t* associated, uint64_t associated_length,
                                    uint8_t* text, uint64_t length, uint8_t* tag);

/// As `cciphers_aes256gcm_open`, with a key of 32 bytes.
bool cciphers_chacha20poly1305_open(const uint8_t* key, const uint8_t* nonce,
                                    const uint8_t* associated, uint64_t associated_length,
                                    uint8_t* text, uint64_t length, const uint8_t* tag);
