// SPDX-License-Identifier: Apache-2.0

// The mesh's sockets: TCP by SwiftNIO, and one UDP socket.
//
// `MeshTransport` is what the control plane asks; `SocketTransport` is the real one.
