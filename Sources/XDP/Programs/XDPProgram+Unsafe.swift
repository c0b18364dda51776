// SPDX-License-Identifier: Apache-2.0

internal import CPrograms
internal import CXDP
internal import Glibc

// Unsafe here: the embedded object's bytes, which are constants of the executable, and pointers to
// local values that C reads or fills in during the call and does not keep.

/// An XDP program in the kernel, with its maps, and not yet on any interface.
///
/// Every interface needs one of its own, since the map of sockets is keyed by queue alone. The
/// value owns their descriptors; an attachment keeps the program and its maps alive beyond it, and
/// the value is what they can be changed with.
@safe
public struct XDPProgram: ~Copyable, Sendable {
  /// Which program it is.
  public let kind: ProgramKind

  /// The program's descriptor, owned by this value.
  public let programDescriptor: CInt

  /// The map from queue to socket.
  private let socketsDescriptor: CInt

  /// `overlay_addresses` or `missed`, by kind.
  let mapDescriptor: CInt

  /// `security_associations` of the underlay; -1 for a port.
  let securityDescriptor: CInt

  /// Queues of one interface that can have a socket.
  public static var queueCount: UInt32 { UInt32(CPROGRAMS_QUEUE_COUNT) }

  /// Loads the embedded object of this kind into the kernel.
  public init(_ kind: ProgramKind) throws(ProgramError) {
    var loaded = cxdp_program()
    let result = XDPProgram.load(kind, &loaded)
    guard result >= 0 else {
      let detail = lastWarnings()
      guard result != -EPERM, result != -EACCES else {
        throw .permission(call: "loading the XDP program '\(kind)'")
      }
      throw .loading(kind, errno: -result, detail: detail)
    }
    self.kind = kind
    programDescriptor = loaded.program
    socketsDescriptor = loaded.sockets
    mapDescriptor = loaded.map
    securityDescriptor = loaded.second_map
  }

  deinit {
    for descriptor in [programDescriptor, socketsDescriptor, mapDescriptor, securityDescriptor]
    where descriptor >= 0 { _ = close(descriptor) }
  }

  /// The name of the map that only this kind has.
  static func mapName(_ kind: ProgramKind) -> String {
    switch kind {
    case .underlay: "overlay_addresses"
    case .port: "missed"
    }
  }

  /// The name of the map of security associations, which the underlay has besides.
  static let securityMapName = "security_associations"

  private static func load(_ kind: ProgramKind, _ loaded: inout cxdp_program) -> CInt {
    let embedded =
      switch kind {
      case .underlay: unsafe cprograms_underlay()
      case .port: unsafe cprograms_port()
      }
    return unsafe kind.programName.withCString { program in
      unsafe mapName(kind).withCString { map in
        unsafe securityMapName.withCString { security in
          var object = unsafe cxdp_object(
            bytes: embedded.bytes, size: embedded.size, program: program, map: map,
            second_map: kind == .underlay ? security : nil)
          return unsafe cxdp_load_program(&object, &loaded)
        }
      }
    }
  }

  /// Sends the frames of a receive queue to an AF_XDP socket, in place of an earlier one.
  ///
  /// The socket must have its RX ring and be bound to this queue of the interface that the program
  /// is on: frames for a socket that is bound to something else are lost without a counter. A
  /// socket that is closed leaves the map by itself.
  public borrowing func setSocket(
    _ socketDescriptor: CInt, queue: UInt32
  ) throws(ProgramError) {
    try requireQueue(queue)
    var key = queue
    var value = UInt32(bitPattern: socketDescriptor)
    let result = unsafe cxdp_set_entry(socketsDescriptor, &key, &value)
    guard result >= 0 else { throw mapFailure("setting queue \(queue)", "sockets", result) }
  }

  /// Takes the socket of a queue out; that there is none is no error.
  public borrowing func removeSocket(queue: UInt32) throws(ProgramError) {
    try requireQueue(queue)
    var key = queue
    let result = unsafe cxdp_remove_entry(socketsDescriptor, &key)
    guard result >= 0 || result == -ENOENT else {
      throw mapFailure("clearing queue \(queue)", "sockets", result)
    }
  }

  /// Frames that this program of kind `.port` dropped since no socket was there, of all CPUs.
  ///
  /// It begins at 0 with the program: read it before a program is replaced.
  public borrowing func missedCount() throws(ProgramError) -> UInt64 {
    precondition(kind == .port, "only a port drops frames that have no socket to go to")
    var sum: UInt64 = 0
    let result = unsafe cxdp_sum_counter(mapDescriptor, &sum)
    guard result >= 0 else { throw mapFailure("reading", "missed", result) }
    return sum
  }

  private borrowing func requireQueue(_ queue: UInt32) throws(ProgramError) {
    guard queue < XDPProgram.queueCount else {
      throw .queueOutOfRange(queue: queue, count: XDPProgram.queueCount)
    }
  }
}

/// The error of a call on a map; `result` is its negative errno.
func mapFailure(_ call: String, _ map: String, _ result: CInt) -> ProgramError {
  guard result != -EPERM, result != -EACCES else {
    return .permission(call: "\(call) in the BPF map '\(map)'")
  }
  return .map(call: call, map: map, errno: -result)
}
