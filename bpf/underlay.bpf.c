// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// On the outer network: takes what other peers sent us, and nothing else.
//
// A frame goes to the socket of its queue if it is a whole IPv4 UDP datagram for one of the
// addresses in `overlay_addresses`. All else is the host's: other traffic, IP fragments (the kernel
// reassembles them for the socket underlay), tagged and multicast frames, and whatever is too
// short to tell. Without a socket everything is the host's: no state of ours cuts it off.
//
// A tag that the network card took off the frame is not visible here: where VLANs share the
// interface with us, the card's VLAN receive offload must be off.

#include "maps.h"
#include "parsing.h"

/// Outer addresses and ports of this host's overlay; a value is CPROGRAMS_OVERLAY_UDP.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, CPROGRAMS_OVERLAY_ADDRESS_COUNT);
  __type(key, struct cprograms_overlay_address);
  __type(value, __u32);
} overlay_addresses SEC(".maps");

SEC("xdp.frags")
int weft_underlay(struct xdp_md* frame) {
  struct cprograms_overlay_address destination;
  if (!find_destination(frame, &destination))
    return XDP_PASS;
  if (!bpf_map_lookup_elem(&overlay_addresses, &destination))
    return XDP_PASS;
  return bpf_redirect_map(&sockets, frame->rx_queue_index, XDP_PASS);
}

char program_license[] SEC("license") = "Dual BSD/GPL";
