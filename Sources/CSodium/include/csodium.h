// SPDX-License-Identifier: Apache-2.0

#ifndef CSODIUM_H
#define CSODIUM_H

// The system's libsodium as a module: X25519, SHA-256, secretbox, and memory for secrets.

#include <sodium.h>

#endif
