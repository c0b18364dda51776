// SPDX-License-Identifier: Apache-2.0
//
// What pktbench's containers do: one stream of bytes, or datagrams that go and come back, over
// plain sockets. Addresses and ports are in host byte order, times are of CLOCK_MONOTONIC.
// Functions return 0 or more, or a negated errno.

#pragma once

#include <stdint.h>

/// Switches an ethtool feature with a one-word command of an interface in this thread's namespace.
int claboratory_set_feature(int interface_index, uint32_t command, uint32_t value);

/// Lets the calling thread go before all ordinary ones of its core, as soon as it has work.
int claboratory_go_first(void);

/// Opens a listening TCP socket.
int claboratory_listen(uint32_t address, uint16_t port);

/// Takes one connection, or gives -EAGAIN after some time; the socket's calls end after 50 ms.
int claboratory_accept(int listener);

/// Connects; the socket's calls end after 50 ms.
int claboratory_connect(uint32_t address, uint16_t port);

/// Sends bytes that follow from their place in the stream, the first of them at `offset`, until a
/// time; gives how many were taken.
int64_t claboratory_send(int descriptor, uint64_t offset, uint64_t until);

/// Receives such bytes until a time and compares each; gives how many, -EBADMSG if one is wrong,
/// -ENODATA if the stream has ended and there was none.
int64_t claboratory_receive(int descriptor, uint64_t offset, uint64_t until);

/// Ends the stream that is sent.
int claboratory_finish(int descriptor);

/// Segments that TCP sent again so far.
int64_t claboratory_retransmissions(int descriptor);

/// Opens a UDP socket between two addresses, whose calls end after 50 ms.
int claboratory_open_datagrams(uint32_t local, uint32_t remote, uint16_t port);

/// Sends a datagram of `length` bytes and waits for its like; gives the nanoseconds between, or
/// -ETIMEDOUT after half a second.
int64_t claboratory_ping(int descriptor, uint64_t number, uint32_t length);

/// Sends back every datagram until a time; gives how many.
int64_t claboratory_echo(int descriptor, uint64_t until);
