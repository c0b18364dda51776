// SPDX-License-Identifier: Apache-2.0
//
// Linux's own calls that Swift's import of the C library leaves out: macros, variadic functions,
// functions behind feature macros, and what a netlink message needs from C.

#pragma once

#include "clinux_datagrams.h"
#include "clinux_frames.h"
#include "clinux_netlink.h"
#include "clinux_threads.h"
