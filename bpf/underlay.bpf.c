// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// On the outer network: takes what other peers sent us, and nothing else.
//
// A frame goes to the socket of its queue if it is a whole IPv4 UDP datagram for one of the
// addresses in `overlay_addresses`, or a whole ESP packet of one of the associations in
// `security_associations`. All else is the host's: other traffic, ESP of its own associations, IP
// fragments (the kernel reassembles them for the socket underlay), tagged and multicast frames, and
// whatever is too short to tell. Without a socket everything is the host's: no state of ours cuts
// it off.
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

/// Associations of this host's overlay, for receiving; a value is CPROGRAMS_SECURITY_OURS.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, CPROGRAMS_SECURITY_ASSOCIATION_COUNT);
  __type(key, struct cprograms_security_association);
  __type(value, __u32);
} security_associations SEC(".maps");

/// Gives a frame to the socket of its queue, or to the host if there is none.
static __always_inline int give_to_socket(struct xdp_md* frame) {
  return bpf_redirect_map(&sockets, frame->rx_queue_index, XDP_PASS);
}

/// Takes a UDP datagram for one of the overlay's addresses.
static __always_inline int judge_udp(struct xdp_md* frame, struct iphdr* ip, void* data_end) {
  struct cprograms_overlay_address destination;
  if (!find_destination(ip, data_end, &destination))
    return XDP_PASS;
  if (!bpf_map_lookup_elem(&overlay_addresses, &destination))
    return XDP_PASS;
  return give_to_socket(frame);
}

/// Takes an ESP packet of one of the overlay's associations.
static __always_inline int judge_esp(struct xdp_md* frame, struct iphdr* ip, void* data_end) {
  struct cprograms_security_association association;
  if (!find_association(ip, data_end, &association))
    return XDP_PASS;
  if (!bpf_map_lookup_elem(&security_associations, &association))
    return XDP_PASS;
  return give_to_socket(frame);
}

SEC("xdp.frags")
int weft_underlay(struct xdp_md* frame) {
  void* data_end = (void*)(long)frame->data_end;
  struct iphdr* ip = find_ipv4((void*)(long)frame->data, data_end);
  if (!ip)
    return XDP_PASS;
  // Expected, so that a datagram pays nothing for ESP.
  if (__builtin_expect(ip->protocol == IPPROTO_UDP, 1))
    return judge_udp(frame, ip, data_end);
  if (ip->protocol == IPPROTO_ESP)
    return judge_esp(frame, ip, data_end);
  return XDP_PASS;
}

char program_license[] SEC("license") = "Dual BSD/GPL";
