// SPDX-License-Identifier: Apache-2.0
//
// The system's libsodium as a module: X25519, SHA-256, secretbox, and memory for secrets.

#pragma once

#include <sodium.h>
