// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Finds the UDP destination of a frame. Each function checks the bytes it reads once, against the
// end of the frame's linear part: a frame whose headers are not all in there is not ours.
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "cprograms_layout.h"

/// "More fragments" and the fragment offset (RFC 791, section 3.1); don't-fragment is not in it.
#define FRAGMENT_BITS 0x3FFF

/// The group bit of the first octet: multicast, and broadcast as one case of it.
#define GROUP_BIT 0x01

/// The IPv4 header of an untagged frame for one station, or null.
static __always_inline struct iphdr* find_ipv4(void* data, void* data_end) {
  struct ethhdr* ethernet = data;
  if ((void*)(ethernet + 1) > data_end)
    return 0;
  if (ethernet->h_dest[0] & GROUP_BIT)
    return 0;
  if (ethernet->h_proto != bpf_htons(ETH_P_IP))
    return 0;
  struct iphdr* ip = (void*)(ethernet + 1);
  if ((void*)(ip + 1) > data_end)
    return 0;
  return ip;
}

/// The UDP header of a whole datagram, or null; options between the two headers are skipped.
static __always_inline struct udphdr* find_udp(struct iphdr* ip, void* data_end) {
  __u32 header_length = ip->ihl * 4;
  if (ip->version != 4 || header_length < sizeof(*ip))
    return 0;
  if (ip->protocol != IPPROTO_UDP)
    return 0;
  if (ip->frag_off & bpf_htons(FRAGMENT_BITS))
    return 0;
  if (bpf_ntohs(ip->tot_len) < header_length + sizeof(struct udphdr))
    return 0;
  struct udphdr* udp = (void*)ip + header_length;
  if ((void*)(udp + 1) > data_end)
    return 0;
  return udp;
}

/// Writes where the frame's datagram goes, or returns 0 if it holds no whole UDP datagram.
static __always_inline int find_destination(struct xdp_md* frame,
                                            struct cprograms_overlay_address* destination) {
  void* data_end = (void*)(long)frame->data_end;
  struct iphdr* ip = find_ipv4((void*)(long)frame->data, data_end);
  if (!ip)
    return 0;
  struct udphdr* udp = find_udp(ip, data_end);
  if (!udp)
    return 0;
  destination->address = ip->daddr;
  destination->port = udp->dest;
  destination->zero = 0;
  return 1;
}
