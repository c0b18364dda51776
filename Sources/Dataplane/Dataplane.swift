// SPDX-License-Identifier: Apache-2.0

// Moves frames. Nothing in here decides where a station is; the snapshot says so.
//
// A `Worker` is one core's loop, and `breathe()` one turn of it: it draws a `Batch` of `Frame`s
// from a `PortQueue` (one queue of one port), lets the stages (Stages/, in the order of a frame's
// way: open, parse, learn, look up, encapsulate) write a `Verdict` for each frame, and then
// disposes of every frame exactly once: sent, or dropped with a reason that has a counter.
// `FrameMemory` is where the frames are and which chunks are free, `PortTable` the queues a worker
// serves, `IdlePolicy` when it spins and when it sleeps. Faults/ makes a port bad on purpose.
// Ports/ is what can stand behind a port instead of the kernel: `MemoryPort`, capture files,
// and `SocketPort`, which is the underlay over UDP sockets.
// `Engine` owns the workers, their threads and their sockets, and is what the control plane's side
// talks to. SelfTest/ has a `ModeTrial` find the mode of a port's program with test frames before
// the port is opened. Tracing/ is the way of a frame as a person can follow it: a `Tracer` in the
// worker looks at a batch between the stages while a `TraceDesk` has an order for it.
