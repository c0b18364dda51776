// SPDX-License-Identifier: Apache-2.0

import Testing

// Whole hosts on one machine: the built programs, a real kernel, real frames.
//
// A host is a network namespace with an interface `eth0`, a container is another one; two hosts
// are joined by a veth pair that plays the wire. The tests know nothing of the programs' inside:
// they run `weftd` and `weft` as a person would, read JSON, and let the kernel, ping, Python and
// tshark judge the frames. They need root, and fail without it instead of being skipped.
//
// The programs are those of `swift build -c release`, or of the folder in WEFT_BIN_DIR. With
// WEFT_SOAK=1 the TCP transfers are 100 MB instead of 10 MB, hostile frames 100,000 instead of
// 1,000, and weftd is killed 300 times instead of 50.
//
// Reading order in `Testbed/`: `RunningProcess` and `Command` (programs with a time limit),
// `Leftovers` (what is removed whatever happens), `TestNamespace`, `TestContainer`, `TestHost`
// (one weftd), `KernelHost` (a host without weftd), `Testbed` (the two of them and the wire),
// `StatusJSON` (the numbers and their sum), `Peer` (the containers' side of a conversation),
// `Capture` (the wire as tshark sees it), `MeshBed` (hosts that find each other), `Siege` (two of
// those and an `Attacker`).

/// All tests with real hosts, one after the other: each needs the cores for itself.
@Suite(.serialized) enum RealHosts {}
