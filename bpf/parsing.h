// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Finds what in a frame says for whom it is. Each function checks the bytes it reads once, against
// the end of the frame's linear part: a frame whose headers are not all in there is not ours.
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

/// What follows the header of a whole packet and its options, or null if `length` bytes of it are
/// not there.
static __always_inline void* find_content(struct iphdr* ip, __u32 length, void* data_end) {
  __u32 header_length = ip->ihl * 4;
  if (ip->version != 4 || header_length < sizeof(*ip))
    return 0;
  if (ip->frag_off & bpf_htons(FRAGMENT_BITS))
    return 0;
  if (bpf_ntohs(ip->tot_len) < header_length + length)
    return 0;
  void* content = (void*)ip + header_length;
  if (content + length > data_end)
    return 0;
  return content;
}

/// Writes where a UDP datagram goes, or returns 0 if it is not whole.
static __always_inline int find_destination(struct iphdr* ip, void* data_end,
                                            struct cprograms_overlay_address* destination) {
  struct udphdr* udp = find_content(ip, sizeof(*udp), data_end);
  if (!udp)
    return 0;
  destination->address = ip->daddr;
  destination->port = udp->dest;
  destination->zero = 0;
  return 1;
}

/// Writes to which association an ESP packet belongs, or returns 0 if it is not whole.
static __always_inline int find_association(struct iphdr* ip, void* data_end,
                                            struct cprograms_security_association* association) {
  struct ip_esp_hdr* esp = find_content(ip, sizeof(*esp), data_end);
  if (!esp)
    return 0;
  association->address = ip->daddr;
  association->identifier = esp->spi;
  return 1;
}
