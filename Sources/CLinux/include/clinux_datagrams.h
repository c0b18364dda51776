// SPDX-License-Identifier: Apache-2.0
//
// Many UDP datagrams with one call, over IPv4: what recvmmsg and sendmmsg need of control messages
// and arrays of headers. Functions return 0 or more, or a negated errno; none of them waits.
// Addresses and ports are numbers in the host's byte order.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/// Messages that one call receives or sends at most.
enum {
  CLINUX_RECEIVED_MAX = 16,
  CLINUX_SENT_MAX = 64,
};

/// A message that was received: one datagram, or as many as the kernel joined (UDP_GRO).
struct clinux_received_datagrams {
  uint32_t source;
  /// Where it was sent to.
  uint32_t local;
  uint16_t source_port;
  /// Bytes of each of the joined datagrams, of which the last may be shorter; 0 for one datagram.
  uint16_t segment_length;
  uint32_t length;
  /// Whether it was longer than its buffer.
  bool is_cut;
};

/// A message to be sent: one datagram, or as many as the kernel shall cut it into (UDP_SEGMENT).
struct clinux_sent_datagrams {
  uint32_t destination;
  /// Our own address; 0 lets the kernel choose.
  uint32_t source;
  uint16_t destination_port;
  /// Bytes of each datagram, of which the last may be shorter; 0 for one datagram.
  uint16_t segment_length;
  /// Which of the pieces it is made of.
  uint32_t first_piece;
  uint32_t piece_count;
};

/// How a UDP socket is opened.
struct clinux_datagram_options {
  /// Where it is bound; address 0 is any.
  uint32_t address;
  uint16_t port;
  /// Whether other sockets of ours are bound to the same port.
  bool is_shared;
  /// Whether the kernel is to join what it receives.
  bool is_joined;
  /// Bytes that may wait in either direction, as far as we are allowed to have so many.
  uint32_t buffer_length;
};

/// Opens a UDP socket that tells where what it receives was sent to, sets DF in what it sends, and
/// does not hear of ICMP errors. Returns a descriptor.
int clinux_open_datagrams(const struct clinux_datagram_options* options);

/// Whether the kernel cuts datagrams (UDP_SEGMENT).
bool clinux_cuts_datagrams(int descriptor);

/// Sets DF in what the socket sends from here on, or leaves it out so that routers may fragment.
/// With DF the kernel goes by the interface's MTU alone.
int clinux_set_fragmentation(int descriptor, bool may_fragment);

/// Receives up to `count` messages, message i at `buffers + i * stride`. Returns how many.
int clinux_receive_datagrams(int descriptor, void* buffers, size_t stride,
                             struct clinux_received_datagrams* received, unsigned count);

/// Sends `count` messages. Returns how many were sent; an error only if the first was not.
int clinux_send_datagrams(int descriptor, const struct clinux_sent_datagrams* messages,
                          unsigned count, const struct iovec* pieces);

/// Writes how many messages the kernel dropped because the socket had no room for them, or because
/// their checksum was wrong.
int clinux_dropped_datagrams(int descriptor, uint32_t* count);
