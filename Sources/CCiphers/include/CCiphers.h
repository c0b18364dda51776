// SPDX-License-Identifier: Apache-2.0
//
// AES-256-GCM and ChaCha20-Poly1305 as Intel's library for IPsec has them, which uses what the
// processor has of wide registers. Where it is of no use, on a processor without AES or another
// architecture, there is no AES-256-GCM, and ChaCha20-Poly1305 is libsodium's.
//
// Texts are sealed and opened where they are. A nonce has 12 bytes, a tag 16. All functions must be
// called after `cciphers_has_aes` has returned in this process, those of AES after it has returned
// true, and libsodium must be initialised. They may be called by any number of threads at the same
// time: threads share the table of functions, which is filled in once, and the library's error
// number, into which calls of AES-256-GCM store zero and which nobody reads after that.

#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Bytes of an expanded key of AES-256-GCM, to be aligned to 64.
#define CCIPHERS_AES256GCM_KEY_LENGTH 1008

/// Whether AES-256-GCM can be had: the processor has instructions for AES and for GCM's
/// multiplication, and the library is of use here.
///
/// The first call loads the library's functions for this processor.
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

/// As `cciphers_chacha20poly1305_seal`, by libsodium whatever the processor has.
void cciphers_portable_chacha20poly1305_seal(const uint8_t* key, const uint8_t* nonce,
                                             const uint8_t* associated, uint64_t associated_length,
                                             uint8_t* text, uint64_t length, uint8_t* tag);

/// As `cciphers_chacha20poly1305_open`, by libsodium whatever the processor has; a text that does
/// not open is zeroed.
bool cciphers_portable_chacha20poly1305_open(const uint8_t* key, const uint8_t* nonce,
                                             const uint8_t* associated, uint64_t associated_length,
                                             uint8_t* text, uint64_t length, const uint8_t* tag);
