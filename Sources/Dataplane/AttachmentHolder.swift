// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import XDP

/// An attached program, in a place that can be shared and emptied once.
final class AttachmentHolder: Sendable {
  let mode: AttachMode
  let reason: String
  /// The kernel's number of the program.
  let programIdentifier: UInt32
  private let attachment: Mutex<Slot>

  private struct Slot: ~Copyable {
    var attachment: Attachment?
  }

  /// Attaches `program` to the interface of `specification`: to the underlay for as long as this
  /// process lives, to a container's port for as long as the interface does.
  init(
    _ program: borrowing XDPProgram, _ specification: PortSpecification, _ settled: SettledMode
  ) throws(DataplaneError) {
    let made: Attachment
    do {
      made = try program.attach(
        interfaceIndex: specification.interfaceIndex, requested: settled.request,
        lifetime: specification.kind == .underlay ? .withProcess : .withDevice)
    } catch {
      throw .attach(error)
    }
    mode = made.mode
    reason = settled.reason(of: made)
    programIdentifier = made.programIdentifier
    attachment = Mutex(Slot(attachment: made))
  }

  /// Detaches; gives why it could not.
  ///
  /// That the program or the interface is gone already, or that somebody put another program there,
  /// is no error.
  func detach() -> DataplaneError? {
    attachment.withLock { slot in
      guard let attachment = slot.attachment.take() else { return nil }
      do throws(AttachError) {
        try attachment.detach()
      } catch .noInterface, .foreignProgram {
        return nil
      } catch {
        return .attach(error)
      }
      return nil
    }
  }
}
