// SPDX-License-Identifier: Apache-2.0

internal import CXDP
internal import Glibc

/// What the kernel answered when it took a program.
struct TakenInterface {
  let interfaceIndex: UInt32
  let mode: AttachMode
  let programIdentifier: UInt32
  let linkDescriptor: CInt?
}

extension XDPProgram {
  /// Attaches the program to an interface of the calling thread's network namespace.
  ///
  /// With `.withProcess` any program that is there is foreign. With `.withDevice` a program of the
  /// same kind that an earlier process left is replaced: in the same mode without a gap, in another
  /// one after it was detached, as no interface runs both modes at once. A foreign program is never
  /// touched.
  ///
  /// Some drivers reset the card when a program is attached in native mode. Whether a socket can be
  /// zero-copy is decided when it is bound.
  public borrowing func attach(
    interfaceIndex: UInt32, requested: AttachRequest, lifetime: AttachmentLifetime
  ) throws(AttachError) -> Attachment {
    switch requested {
    case .native:
      let taken = try take(interfaceIndex, .native, lifetime)
      return Attachment(taken, lifetime: lifetime, reason: "native: asked for")
    case .generic:
      let taken = try take(interfaceIndex, .generic, lifetime)
      return Attachment(taken, lifetime: lifetime, reason: "generic: asked for")
    case .automatic:
      return try attachNativeOrGeneric(interfaceIndex, lifetime)
    }
  }

  private borrowing func attachNativeOrGeneric(
    _ interfaceIndex: UInt32, _ lifetime: AttachmentLifetime
  ) throws(AttachError) -> Attachment {
    do {
      let taken = try take(interfaceIndex, .native, lifetime)
      return Attachment(taken, lifetime: lifetime, reason: "native: supported by the driver")
    } catch {
      guard case .refused(_, _, _, let errno, let detail) = error else { throw error }
      let taken = try take(interfaceIndex, .generic, lifetime)
      return Attachment(
        taken, lifetime: lifetime,
        reason: "generic: the driver refused native mode (\(ErrorText(errno, detail)))")
    }
  }

  private borrowing func take(
    _ interfaceIndex: UInt32, _ mode: AttachMode, _ lifetime: AttachmentLifetime
  ) throws(AttachError) -> TakenInterface {
    let call = AttachCall("attaching the XDP program '\(kind)'", interfaceIndex, mode)
    var link: CInt?
    switch lifetime {
    case .withProcess:
      let result = cxdp_link_program(interfaceIndex, programDescriptor, cxdp_mode(mode))
      guard result >= 0 else { throw call.failed(result) }
      link = result
    case .withDevice:
      try replace(try predecessor(on: interfaceIndex, mode), call)
    }
    return TakenInterface(
      interfaceIndex: interfaceIndex, mode: mode,
      programIdentifier: cxdp_program_id(programDescriptor), linkDescriptor: link)
  }

  /// The program of our kind to replace in this mode, or nil where the interface is free.
  private borrowing func predecessor(
    on interfaceIndex: UInt32, _ mode: AttachMode
  ) throws(AttachError) -> InterfaceProgram? {
    guard let attached = try InterfaceProgram.query(interfaceIndex) else { return nil }
    guard attached.isOwn, attached.name == kind.programName else {
      throw attached.foreign(interfaceIndex)
    }
    guard attached.mode == mode else {
      try attached.detach(interfaceIndex)
      return nil
    }
    return attached
  }

  /// Attaches without a link; the kernel makes sure that only `predecessor` is replaced.
  private borrowing func replace(
    _ predecessor: InterfaceProgram?, _ call: AttachCall
  ) throws(AttachError) {
    var old: CInt = -1
    if let predecessor {
      old = cxdp_open_program(predecessor.identifier)
      guard old >= 0 else { throw call.failed(old) }
    }
    defer { if old >= 0 { _ = close(old) } }
    let result = cxdp_attach_program(
      call.interfaceIndex, programDescriptor, cxdp_mode(call.mode), old)
    guard result >= 0 else { throw call.failed(result) }
  }
}
