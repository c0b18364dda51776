// SPDX-License-Identifier: Apache-2.0

#include "CIntrinsics.h"

_Static_assert(__atomic_always_lock_free(sizeof(uint64_t), 0), "64-bit words must be lock-free");
