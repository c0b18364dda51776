// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// A UDP socket, and what is known of it.
struct UDPSocket: BitwiseCopyable {
  /// The socket; negative if there is none.
  let descriptor: CInt
  /// The port it is bound to.
  let udpPort: UInt16
  /// Whether what it sends leaves without DF.
  private(set) var mayFragment = false
  /// Datagrams of at most so many bytes are left to the kernel to be cut; 0 if it cannot.
  private var segmentLengthMax: UInt32
  /// Messages that `segmentLengthMax` kept from being joined since it was lowered.
  private var singleCount: UInt32 = 0
  /// Messages since one was cut that the kernel did not cut because of the way they take.
  private var uncutCount: UInt32 = 0
  private let hasSegmentation: Bool

  init(descriptor: CInt, udpPort: UInt16, hasSegmentation: Bool) {
    self.descriptor = descriptor
    self.udpPort = udpPort
    self.hasSegmentation = hasSegmentation
    segmentLengthMax = hasSegmentation ? .max : 0
  }

  /// No socket.
  static var none: UDPSocket { UDPSocket(descriptor: -1, udpPort: 0, hasSegmentation: false) }

  /// Has what is sent from here on leave with DF or without.
  mutating func setFragmentation(_ mayFragment: Bool) {
    guard mayFragment != self.mayFragment else { return }
    self.mayFragment = mayFragment
    _ = clinux_set_fragmentation(descriptor, mayFragment)
  }

  /// Whether datagrams of this length are left to the kernel to be cut.
  mutating func cuts(_ length: UInt32) -> Bool {
    guard length > segmentLengthMax else { return length > 0 && hasSegmentation }
    singleCount &+= 1
    if hasSegmentation, singleCount >= UDPSocket.singleCountMax {
      segmentLengthMax = .max
      singleCount = 0
    }
    return false
  }

  /// The kernel did not cut a message into datagrams of this length, but takes them one by one.
  ///
  /// How long they may be depends on the interface; so others are tried again after a while.
  mutating func refusedToCut(_ length: UInt32) {
    segmentLengthMax = min(segmentLengthMax, length &- 1)
    singleCount = 0
  }

  /// The kernel cut a message.
  mutating func didCut() { uncutCount = 0 }

  /// The kernel did not cut a message, because of the way it takes and not of its length.
  ///
  /// Other ways may be better; so only after many in a row nothing is left to it for a while.
  mutating func failedToCut() {
    uncutCount = min(uncutCount &+ 1, UDPSocket.uncutCountMax)
    guard uncutCount == UDPSocket.uncutCountMax else { return }
    segmentLengthMax = 0
    singleCount = 0
  }

  private static var uncutCountMax: UInt32 { 64 }
  private static var singleCountMax: UInt32 { 4096 }
}

/// The sockets of a queue, in places that do not change.
///
/// Proof of safety: the array has `SocketPort.udpPortCountMax` elements as long as this value
/// lives; places are checked against that.
@safe
struct UDPSockets: ~Copyable {
  private let sockets: UnsafeMutablePointer<UDPSocket>
  /// The places up to the last that has a socket.
  private(set) var placeCount = 0

  init() {
    unsafe sockets = .allocate(capacity: SocketPort.udpPortCountMax)
    unsafe sockets.initialize(repeating: .none, count: SocketPort.udpPortCountMax)
  }

  deinit { unsafe sockets.deallocate() }

  subscript(place: Int) -> UDPSocket {
    get {
      precondition(place >= 0 && place < SocketPort.udpPortCountMax, "a place for a socket")
      return unsafe sockets[place]
    }
    set {
      precondition(place >= 0 && place < SocketPort.udpPortCountMax, "a place for a socket")
      unsafe sockets[place] = newValue
    }
  }

  /// Puts a socket, or `UDPSocket.none`, in a place.
  mutating func set(_ socket: UDPSocket, at place: Int) {
    self[place] = socket
    placeCount = SocketPort.udpPortCountMax
    while placeCount > 0, self[placeCount &- 1].descriptor < 0 { placeCount &-= 1 }
  }

  /// The first place without a socket.
  var freePlace: Int? {
    var place = 0
    while place < SocketPort.udpPortCountMax, self[place].descriptor >= 0 { place &+= 1 }
    return place < SocketPort.udpPortCountMax ? place : nil
  }

  /// The place of the socket that is bound to a UDP port.
  func place(of udpPort: UInt16) -> Int? {
    for place in 0..<placeCount where self[place].udpPort == udpPort {
      if self[place].descriptor >= 0 { return place }
    }
    return nil
  }
}
