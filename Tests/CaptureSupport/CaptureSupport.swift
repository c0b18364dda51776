// SPDX-License-Identifier: Apache-2.0

// Recordings of real Weave Net routers, taken apart for tests.
//
// - `Capture`: the frames of a pcap file; `Fixtures/captures/README.md` says what was recorded.
// - `CapturedPacket`: an IPv4 packet or fragment of one.
// - `CapturedDatagram`: a UDP datagram, put together from its fragments.
// - `CapturedSession`: both byte streams of a TCP connection, in order.
// - `Protocol2Stream`: one of them, cut into the frames of the mesh's protocol 2.
//
// Nothing of the product's code for bytes is used, so that the two check each other.
