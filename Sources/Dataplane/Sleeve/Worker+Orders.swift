// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Tables

extension Worker {
  /// Makes and sends the frames that the control plane ordered.
  @inline(never)
  mutating func takeOrders(snapshot: ForwardingSnapshot) {
    while orders.next() != nil {}
    orders.release()
  }
}
