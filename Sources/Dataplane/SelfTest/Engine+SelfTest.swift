// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import XDP

/// In which mode a port's program is to be attached, and what there is to say about it.
struct SettledMode: Equatable, Sendable {
  /// What to ask the kernel for.
  var request: AttachRequest
  /// Why, in a sentence; nil if only the attachment will tell.
  var reason: String?
  /// What to add to what the attachment tells.
  var remark: String?

  /// The sentence for the status page.
  func reason(of attachment: borrowing Attachment) -> String {
    let text = reason ?? attachment.reason
    return remark.map { "\(text); \($0)" } ?? text
  }
}

extension Engine {
  /// Finds the mode for a port that is about to be opened, by test frames where that is possible.
  ///
  /// All pairs of a host are alike and each change of the mode takes the kernel some 30 ms, so the
  /// modes are compared at one port; at all others the cheaper has only to carry frames.
  ///
  /// Nothing of a test is left behind but, if it succeeds, a program that drops all frames until
  /// the port's own takes its place.
  func settledMode(of specification: PortSpecification) throws(DataplaneError) -> SettledMode {
    switch specification.modeSource {
    case .driver:
      return SettledMode(
        request: specification.attach,
        remark: specification.kind == .underlay ? "not tested" : nil)
    case .present:
      return try presentMode(of: specification)
    case .tested(let test):
      let isOpen = specification.attach == .automatic
      var trial = try ModeTrial(
        specification, test, frameLengthMax: frameLengthMax,
        preferred: isOpen ? cheaperMode.withLock { $0 } : nil)
      let settled = try trial.run()
      if let mode = trial.comparison.cheaper { cheaperMode.withLock { $0 = mode } }
      return settled
    }
  }

  private func presentMode(
    of specification: PortSpecification
  ) throws(DataplaneError) -> SettledMode {
    let remark = "not tested, as frames of others may be under way"
    guard specification.attach == .automatic else {
      return SettledMode(request: specification.attach, remark: remark)
    }
    let found: AttachMode?
    do { found = try Attachment.ownMode(interfaceIndex: specification.interfaceIndex) } catch {
      throw .attach(error)
    }
    guard let found else { return SettledMode(request: .automatic, remark: remark) }
    return SettledMode(
      request: found == .native ? .native : .generic,
      reason: "\(found): as the program that was there; \(remark)")
  }
}
