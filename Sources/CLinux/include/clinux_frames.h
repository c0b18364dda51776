// SPDX-License-Identifier: Apache-2.0
//
// Sending many Ethernet frames at once through a packet socket. Functions return 0 or more, or a
// negated errno.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Opens a packet socket that receives nothing and sends past the queueing discipline, straight
/// into the driver (PACKET_QDISC_BYPASS).
int clinux_open_frame_sender(void);

/// Sends up to 64 frames of `length` bytes each, which lie one after the other, out of an
/// interface. Never waits. Writes how long the system calls took, and returns how many frames were
/// sent: all, or those before the one that failed. It is an error only if that is the first.
int clinux_send_burst(int descriptor, int interface_index, const void* frames, size_t length,
                      size_t count, uint64_t* nanoseconds);
