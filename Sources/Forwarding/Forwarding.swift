// SPDX-License-Identifier: Apache-2.0

// The small language that control plane and data plane share; they know each other only through it.
//
// Downwards goes a snapshot: where every known MAC is, how every endpoint is reached, whom a flood
// goes to. `SnapshotWriter` builds it in pages and publishes it with one word; `SnapshotReader`
// picks it up once a breath, as a `ForwardingSnapshot`, and tells the writer that it has left the
// older ones. Upwards go `Hint`s (a learned address) through a bounded ring, and counters:
// `WorkerCounter` for what the worker does, `DropReason` for every frame that ends in it.
// Commands to a worker are `WorkerCommand`s; `FaultSettings` make a port bad on purpose. A
// `TraceRecord` is what one frame met on its way, when a trace asks for it (`TraceFilter`).
// `Location` says where a station is: behind one of our ports (`PortIndex`) or behind an endpoint
// (`EndpointIndex`, an `EndpointRecord` in the snapshot), which is a configured one or a peer of
// the mesh; a `PeerEntry` leads from a peer's short number to its endpoint.
