// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import XDP

/// An attached program, in a place that can be shared and emptied once.
final class AttachmentHolder: Sendable {
  let mode: AttachMode
  let reason: String
  private let attachment: Mutex<Slot>

  private struct Slot: ~Copyable {
    var attachment: Attachment?
  }

  /// Attaches `program` to the interface of `specification`: to the underlay for as long as this
  /// process lives, to a container's port for as long as the interface does.
  init(
    _ program: borrowing XDPProgram, _ specification: PortSpecification
  ) throws(DataplaneError) {
    let made: Attachment
    do {
      made = try program.attach(
        interfaceIndex: specification.interfaceIndex, requested: specification.attach,
        lifetime: specification.kind == .underlay ? .withProcess : .withDevice)
    } catch {
      throw .attach(error)
    }
    mode = made.mode
    reason = made.reason
    attachment = Mutex(Slot(attachment: made))
  }

  /// Detaches; a program or interface that is gone already is no error.
  func detach() {
    attachment.withLock { slot in
      if let attachment = slot.attachment.take() { try? attachment.detach() }
    }
  }
}
