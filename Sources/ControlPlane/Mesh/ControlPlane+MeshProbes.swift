// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import Forwarding
internal import Inet
internal import Logging
internal import Mesh

// Heartbeats and tests, which the workers send and receive.
extension ControlPlane {
  /// Takes what neighbours sent in place of containers' frames; the machine gets it later, as its
  /// effects may be under way.
  func collectSpecials() {
    engine.takeControlFrames { mesh?.specials.append(OverlaySpecial($0)) }
  }

  /// Gives the machine what was collected.
  func takeSpecials() {
    while let specials = mesh?.specials, !specials.isEmpty {
      mesh?.specials = []
      for special in specials { take(.special(special)) }
    }
  }

  /// Has the machine get what was collected, if anything was, once what is under way is done.
  func takeSpecialsLater() {
    guard mesh?.specials.isEmpty == false else { return }
    executor.queue.async { self.assumeIsolated { $0.takeSpecials() } }
  }

  /// Has the workers send what the machine wants sent.
  func send(_ probes: [OverlayProbe]) {
    guard !probes.isEmpty else { return }
    let orders = probes.map {
      ControlOrder(
        name: $0.peer, overlay: Overlay($0.overlay), frameLength: $0.frameLength,
        connectionUID: $0.connectionUID, isFragmentable: $0.isFragmentable)
    }
    // As with every datagram, one that is lost is followed by another.
    if !engine.order(orders) { logger.debug("heartbeats lost: the worker does not keep up") }
  }
}

extension OverlaySpecial {
  /// What a worker reported.
  fileprivate init(_ frame: ControlFrame) {
    let content: Content =
      switch frame.kind {
      case .heartbeat:
        .heartbeat(
          connectionUID: frame.connectionUID, announcedLength: Int(frame.announcedLength))
      case .fragmentationTest: .fragmentationTest
      case .damagedFragmentationTest: .damagedFragmentationTest
      case .lengthTest: .lengthTest
      }
    self.init(
      overlay: OverlayKind(frame.overlay), peer: PeerName(bits: frame.name),
      source: SocketAddress(IPv4Address(bits: frame.sourceAddress), port: frame.sourcePort),
      frameLength: Int(frame.frameLength), content: content)
  }
}
