// SPDX-License-Identifier: Apache-2.0

// Counters that one thread writes and others read: `CounterBlock`.
//
// What is counted, and in which order, is said where it is counted (`Forwarding` for workers and
// ports). Here is only how a number gets from a pinned worker to whoever asks, without a lock, and
// so that sums over several counters are never torn.
