// SPDX-License-Identifier: Apache-2.0

internal import Mesh
internal import Synchronization

/// Hands up datagrams, and not too many at once.
///
/// What comes while too much is unconsumed is read and dropped, so that what is heard next is new.
final class DatagramInbox: Sendable {
  /// What a datagram in memory takes beside its bytes.
  static let overhead = 128
  /// The longest datagram there can be.
  static let lengthMax = 65_535
  /// After so many datagrams the reader looks whether it is to end.
  private static let batch = 64

  private let counter: TransportCounter
  private let unconsumedMax: Int
  private let deliver: @Sendable (MeshInput) -> Void
  private let unconsumed = Mutex(0)

  init(
    unconsumedMax: Int, counter: TransportCounter, deliver: @escaping @Sendable (MeshInput) -> Void
  ) {
    self.unconsumedMax = unconsumedMax
    self.counter = counter
    self.deliver = deliver
  }

  /// Reads for as long as `event` is not signalled.
  func read(_ socket: UDPSocket, until event: Int32) {
    var buffer = [UInt8](repeating: 0, count: Self.lengthMax)
    while true {
      switch socket.wait(until: event) {
      case .end: return
      case .complaints:
        for complaint in socket.complaints() {
          deliver(
            .datagramTooLong(destination: complaint.destination, pathMTU: complaint.pathMTU))
        }
        // The kernel also has the last of them stop one call.
        readBatch(socket, &buffer)
      case .datagrams: readBatch(socket, &buffer)
      }
    }
  }

  private func readBatch(_ socket: UDPSocket, _ buffer: inout [UInt8]) {
    for _ in 0..<Self.batch {
      guard let (length, source) = socket.receive(into: &buffer) else { return }
      if admits(length) { deliver(.datagram(Array(buffer.prefix(length)), from: source)) }
    }
  }

  /// A datagram of `length` bytes was dealt with.
  func consumed(_ length: Int) {
    let freed = unconsumed.withLock { unconsumed in
      let freed = min(max(0, length) + Self.overhead, unconsumed)
      unconsumed -= freed
      return freed
    }
    counter.count { $0.unconsumedLength -= freed }
  }

  private func admits(_ length: Int) -> Bool {
    let cost = length + Self.overhead
    let isAdmitted = unconsumed.withLock { unconsumed in
      guard unconsumed + cost <= unconsumedMax else { return false }
      unconsumed += cost
      return true
    }
    counter.count {
      if isAdmitted {
        $0.datagramsReceived += 1
        $0.unconsumedLength += cost
      } else {
        $0.datagramsUnheard += 1
      }
    }
    return isAdmitted
  }
}
