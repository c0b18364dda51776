// SPDX-License-Identifier: Apache-2.0

// The mesh's sockets: TCP by SwiftNIO, and one for what routers say. Its datagrams are sent and
// received by the data plane.
//
// `MeshTransport` is what the control plane asks; `SocketTransport` is the real one, made with
// `TransportOptions`, and `TransportCounts` is what it counted. Links/ has the TCP connections:
// `LinkTable` owns them, `LinkHandler` is one of them, `Outbox` holds what waits to be sent on it,
// and `AcceptGate` lets in new ones at the rate of a `TokenBucket`. PathMTU/ has
// `PathMTUWatcher`, which reports a `PathMTUComplaint` when a router could not pass on a datagram.
//
// What the other ends do can make this module and its receiver hold no more than, with the limits'
// defaults:
//
// | held | bytes each | how many | together |
// | --- | --- | --- | --- |
// | of links, handed up and not consumed | 256 KiB and one read of 64 KiB | 512 | 160 MiB |
// | of links, waiting to be sent | 16 MiB | 512 | 192 MiB, of all together |
//
// A link that the other end closes is read to its end at once, which is at most what the kernel
// held of it: 512 KiB. What an ended link left with the receiver is no longer counted; as new links
// are let in slowly, such bytes grow by some 16 MiB a second at most while the receiver does
// nothing. The kernel holds at most 512 KiB for each link and direction.
