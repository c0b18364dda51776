// SPDX-License-Identifier: Apache-2.0

/// What was taken from the daemon while it ran; all counted since it started.
package struct LossReport: Codable, Sendable, Equatable {
  /// Attachments that ended without a detach: the container, its interface or either end went away.
  package var attachments: UInt64
  /// Addresses that somebody took off containers' interfaces.
  package var addresses: UInt64
  /// Times that the underlay could not be used for a while, its reopening after a change included.
  package var underlay: UInt64

  /// Describes what was lost; nothing unless said.
  package init(attachments: UInt64 = 0, addresses: UInt64 = 0, underlay: UInt64 = 0) {
    self.attachments = attachments
    self.addresses = addresses
    self.underlay = underlay
  }
}
