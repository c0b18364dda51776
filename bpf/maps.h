// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// The map that all programs share by definition, not by contents: each loaded program has its own.
#pragma once

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "cprograms_layout.h"

/// The AF_XDP socket of each receive queue.
struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __uint(max_entries, CPROGRAMS_QUEUE_COUNT);
  __type(key, __u32);
  __type(value, __u32);
} sockets SEC(".maps");
