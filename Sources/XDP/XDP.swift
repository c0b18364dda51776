// SPDX-License-Identifier: Apache-2.0

// AF_XDP as this system uses it: frames in shared memory, four rings a socket, a program that
// redirects to the sockets.
//
// `UMEM` is the memory the frames are in, registered with the kernel; all sockets of one worker
// share it, so that a frame goes from one interface to another by moving its descriptor. A
// `PacketSocket` is bound to one queue of one interface and has `SocketRings`: we hand free chunks
// to the kernel on the fill ring and get frames on RX, we hand frames over on TX and get their
// chunks back on completion. `MemoryRings` are the same four rings without a kernel: whoever holds
// the other half, a test or a benchmark, plays it. A `TrialReceiver` looks whether frames arrive at
// an interface before it is served. Under Programs/ are the XDP programs and how they are loaded
// and attached.
