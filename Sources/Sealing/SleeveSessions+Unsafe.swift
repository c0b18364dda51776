// SPDX-License-Identifier: Apache-2.0

internal import CSodium
internal import Glibc
internal import Synchronization
internal import Tables

/// Keys, counters and replay windows of sleeve's connections, shared by all workers without locks.
///
/// One thread begins and ends sessions; any thread seals and opens, several of them at the same
/// time for one session. No number is given out twice, and nothing is opened twice
/// (`SharedReplayWindow` says how late a datagram may be).
///
/// Why this is sound: pointers into the table are made only from `base` and a slot number below
/// `capacity`, so they stay in `memory`, which lives as long as this object. Words that several
/// threads write are touched by atomic accesses only. The keys are written before `begin` publishes
/// the slot and after `end` withdrew it, when by its contract nobody comes across it. Spans stay
/// valid during a call.
@safe
public final class SleeveSessions: @unchecked Sendable {
  /// Sessions at a time.
  public static let capacity = 2048

  /// What came of opening a datagram.
  public enum Opening: UInt8, BitwiseCopyable, Sendable {
    /// Its records are in their place, from `plaintextOffset` on.
    case opened
    /// It is too short, changed on the way, or sealed with another key.
    case notAuthentic
    /// It was opened before, or is too old to tell.
    case replayed
  }

  /// Bytes before the records: the sender's name, the sequence number, the box's tag.
  public static let plaintextOffset = 30

  /// Bytes of the table that a session takes, whatever it does.
  static let sessionLength = SessionSlot.recordLength + SessionSlot.windowsLength

  private let memory: MappedMemory?
  private let places = Mutex(Places())

  /// Which slots are free: never used, or returned.
  private struct Places {
    var neverUsed = 0
    var returned: [UInt16] = []

    mutating func take() -> UInt16? {
      if let place = returned.popLast() { return place }
      guard neverUsed < SleeveSessions.capacity else { return nil }
      defer { neverUsed += 1 }
      return UInt16(neverUsed)
    }
  }

  /// Maps the table; without memory from the kernel there is room for no session.
  ///
  /// Pages that no session has used take no memory. Those with keys are in no core dump, and not
  /// swapped out as long as the process may lock them.
  public init() {
    memory = try? MappedMemory(
      length: SleeveSessions.capacity * SleeveSessions.sessionLength, name: "sleeve-sessions")
    guard let memory else { return }
    unsafe madvise(
      memory.base, SleeveSessions.capacity * SessionSlot.recordLength, MADV_DONTDUMP)
  }

  deinit {
    for place in 0..<places.withLock({ $0.neverUsed }) { slot(at: UInt16(place))?.clear() }
  }

  // MARK: For the control plane

  /// Begins a session; nil if there are too many.
  ///
  /// `isOutbound` says whether we dialled the connection's TCP session.
  public func begin(_ key: SessionKey, isOutbound: Bool) -> UInt16? {
    begin(key, isOutbound: isOutbound, firstNumbers: FirstNumbers())
  }

  /// The numbers that a session begins with.
  struct FirstNumbers {
    var unfragmentable: UInt64 = 0
    var fragmentable: UInt64 = 0
  }

  /// Begins a session whose first numbers are not 0.
  func begin(_ key: SessionKey, isOutbound: Bool, firstNumbers: FirstNumbers) -> UInt16? {
    guard memory != nil, let place = places.withLock({ $0.take() }) else { return nil }
    guard let slot = slot(at: place) else { return nil }
    slot.publish(key, isOutbound: isOutbound, firstNumbers: firstNumbers)
    return place
  }

  /// Ends a session and zeroes its key; to be called when no worker can come across it any more.
  public func end(_ session: UInt16) {
    guard let slot = slot(at: session), slot.isInUse else { return }
    slot.clear()
    places.withLock { $0.returned.append(session) }
  }

  // MARK: For the workers

  /// Seals a datagram in place: writes the sequence number and the tag and encrypts the rest.
  ///
  /// `datagram` has the sender's name, room for number and tag, and from `plaintextOffset` on the
  /// records. False if there is no such session, if the datagram is too short, or if the session
  /// has no numbers left; then it is as it was.
  @_lifetime(datagram: copy datagram)
  public func seal(
    _ datagram: inout MutableSpan<UInt8>, isFragmentable: Bool, session: UInt16
  ) -> Bool {
    guard datagram.count >= SleeveSessions.plaintextOffset, let slot = slot(at: session),
      slot.isInUse, let number = slot.takeNumber(isFragmentable: isFragmentable)
    else { return false }
    unsafe datagram.withUnsafeMutableBytes { bytes in
      guard let address = bytes.baseAddress else { return }
      unsafe SealedDatagram(address, count: bytes.count).seal(number, slot)
    }
    return true
  }

  /// Opens a datagram in place, each once; unless it is opened, it stays as it is.
  @_lifetime(datagram: copy datagram)
  public func open(_ datagram: inout MutableSpan<UInt8>, session: UInt16) -> Opening {
    guard datagram.count >= SleeveSessions.plaintextOffset, let slot = slot(at: session),
      slot.isInUse
    else { return .notAuthentic }
    return unsafe datagram.withUnsafeMutableBytes { bytes in
      guard let address = bytes.baseAddress else { return .notAuthentic }
      return unsafe SealedDatagram(address, count: bytes.count).open(slot)
    }
  }

  /// A place in the table, in use or not; nil if there is none of this number.
  @inline(__always)
  func slot(at session: UInt16) -> SessionSlot? {
    guard Int(session) < SleeveSessions.capacity, let memory else { return nil }
    return unsafe SessionSlot(table: memory.base, number: Int(session))
  }
}

extension SleeveSessions: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// That there are some.
  public var description: String { "SleeveSessions(hidden)" }

  /// That there are some.
  public var debugDescription: String { description }

  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}
