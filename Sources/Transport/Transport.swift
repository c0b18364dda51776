// SPDX-License-Identifier: Apache-2.0

// The mesh's sockets: TCP by SwiftNIO, and one UDP socket.
//
// `MeshTransport` is what the control plane asks; `SocketTransport` is the real one, made with
// `TransportOptions`, and `TransportCounts` is what it counted. Links/ has the TCP connections:
// `LinkTable` owns them, `LinkHandler` is one of them, `Outbox` holds what waits to be sent on it,
// and `AcceptGate` lets in new ones at the rate of a `TokenBucket`. Datagrams/ has the UDP socket
// (`UDPSocket`) and the thread that reads it (`DatagramExchange`).
//
// Nothing that the other ends do can make this module hold more than, with the limits' defaults:
//
// | who holds | bytes each | how many | together |
// | --- | --- | --- | --- |
// | links, handed up and not consumed | 256 KiB + one read of 64 KiB | 512 | 160 MiB |
// | links, read at once when the other end closes | the kernel's buffer, 512 KiB | 1 at a time | 0.5 MiB |
// | links, waiting to be sent | 16 MiB, and all of them together: | 512 | 64 MiB |
// | datagrams, handed up and not consumed | | | 8 MiB |
//
// The kernel holds beside this at most 512 KiB for each link and direction, and 4 MiB of datagrams.
