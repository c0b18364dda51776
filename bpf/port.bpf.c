// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// On the switch's end of a container's veth: takes everything.
//
// The host must not see a container's frames even while no daemon runs, so that a frame without a
// socket to go to is dropped, and counted to keep the books exact.

#include "maps.h"

/// Frames dropped since no socket was there, for each CPU; the only entry is 0.
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, __u64);
} missed SEC(".maps");

/// Counts one frame; nobody else writes this CPU's counter while a frame is in hand.
static __always_inline void count_missed(void) {
  __u32 first = 0;
  __u64* count = bpf_map_lookup_elem(&missed, &first);
  if (count)
    *count += 1;
}

SEC("xdp.frags")
int weft_port(struct xdp_md* frame) {
  int verdict = bpf_redirect_map(&sockets, frame->rx_queue_index, XDP_DROP);
  if (verdict != XDP_REDIRECT)
    count_missed();
  return verdict;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
