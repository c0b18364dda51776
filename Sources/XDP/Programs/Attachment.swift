// SPDX-License-Identifier: Apache-2.0

internal import CXDP
internal import Glibc

/// How an interface runs an XDP program.
public enum AttachMode: String, Sendable, BitwiseCopyable {
  /// In the driver, before the kernel makes a packet of its own of the frame.
  case native

  /// In the kernel's common receive path, with any driver, at the price of a copy.
  case generic
}

/// Which mode the configuration asks for.
public enum AttachRequest: String, Sendable, BitwiseCopyable {
  /// Native, and generic if the driver refuses.
  case automatic

  /// Native or nothing.
  case native

  /// Generic or nothing.
  case generic
}

/// How long an attached program stays.
public enum AttachmentLifetime: String, Sendable, BitwiseCopyable {
  /// Until the attachment is detached or dropped, or the process dies: for the underlay.
  case withProcess

  /// Until it is detached or the interface goes, also when the process dies: for ports.
  case withDevice
}

/// A program on an interface.
///
/// Dropping an attachment that lives with the process detaches the program; dropping one that lives
/// with the device leaves it there, to be replaced by the next process. All calls are about the
/// network namespace of the calling thread.
public struct Attachment: ~Copyable, Sendable {
  /// The interface's index.
  public let interfaceIndex: UInt32

  /// The mode in which the program runs.
  public let mode: AttachMode

  /// One sentence for the status page: which mode it is, and why.
  public let reason: String

  /// How long the program stays.
  public let lifetime: AttachmentLifetime

  /// The kernel's id of the attached program, as `ip link` shows it.
  public let programIdentifier: UInt32

  /// The link that holds the program, owned by this value; nil if it lives with the device.
  ///
  /// A successor that receives a copy of it keeps the program attached without a gap.
  public let linkDescriptor: CInt?

  init(_ taken: TakenInterface, lifetime: AttachmentLifetime, reason: String) {
    interfaceIndex = taken.interfaceIndex
    mode = taken.mode
    programIdentifier = taken.programIdentifier
    linkDescriptor = taken.linkDescriptor
    self.lifetime = lifetime
    self.reason = reason
  }

  deinit {
    if let linkDescriptor { _ = close(linkDescriptor) }
  }

  /// Detaches the program; that the program or the interface is gone already is no error.
  ///
  /// A link is detached for everyone who holds a descriptor of it.
  public consuming func detach() throws(AttachError) {
    if let linkDescriptor {
      // A link whose interface is gone (ENOLINK) has nothing left to detach.
      _ = cxdp_detach_link(linkDescriptor)
      return
    }
    guard let attached = try InterfaceProgram.query(interfaceIndex) else { return }
    guard attached.identifier == programIdentifier else { throw attached.foreign(interfaceIndex) }
    try attached.detach(interfaceIndex)
  }

  /// The mode in which an interface has a program of ours; nil if it has none, or another's.
  public static func ownMode(interfaceIndex: UInt32) throws(AttachError) -> AttachMode? {
    guard let attached = try InterfaceProgram.query(interfaceIndex), attached.isOwn else {
      return nil
    }
    return attached.mode
  }

  /// Removes a program of ours that an earlier process left on an interface.
  ///
  /// Returns whether one was there. Programs of others stay; so does one of ours that a living
  /// process holds by a link, which is an error.
  public static func detachOwn(interfaceIndex: UInt32) throws(AttachError) -> Bool {
    guard let attached = try InterfaceProgram.query(interfaceIndex), attached.isOwn else {
      return false
    }
    try attached.detach(interfaceIndex)
    return true
  }
}
