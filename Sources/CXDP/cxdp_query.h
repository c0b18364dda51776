// SPDX-License-Identifier: Apache-2.0
//
// What the calls of cxdp_programs.h that ask about interfaces are made of.
#pragma once

#include "cxdp_programs.h"

// Asks the kernel of the calling thread's network namespace, by a socket that lives for the call.
int cxdp_ask_kernel(unsigned int interface, struct cxdp_attached* attached);
