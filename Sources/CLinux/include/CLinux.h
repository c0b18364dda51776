// SPDX-License-Identifier: Apache-2.0
//
// Linux's own calls that Swift's import of the C library leaves out: macros, variadic functions,
// and functions behind feature macros.

#pragma once

#include "clinux_threads.h"
