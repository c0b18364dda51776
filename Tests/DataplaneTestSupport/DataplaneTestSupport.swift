// SPDX-License-Identifier: Apache-2.0

// A switch without a kernel, for the tests of the data plane and for its fuzzer.
//
// - `MemorySwitch`: a worker, the model behind its snapshots, and ports of both kinds.
// - `MemoryPort`: one of the ports; it plays the kernel's part of four rings.
// - `MemoryMesh`: several switches as peers, with the routes between them (`MeshRoutes`).
// - `SocketBench`: a port of UDP sockets as a worker has it; `PlainSocket` is the other end, and
//   `UnderlayFrame` what travels between them.
// - `HostileFrames`: frames that nobody well-meaning sends.
