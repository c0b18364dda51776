// SPDX-License-Identifier: Apache-2.0

package import Forwarding

/// A part of the configuration that makes ports bad on purpose.
package struct PortFault: Sendable, Hashable {
  /// The word that stands for every container's port.
  package static let containers = "containers"
  /// The host's own port.
  package static let host = "weft0"

  /// The underlay's interface, `weft0`, or `containers`.
  package var interface: String
  /// What happens to its frames.
  package var settings: FaultSettings

  /// Pairs ports with what happens to their frames.
  package init(interface: String, settings: FaultSettings) {
    self.interface = interface
    self.settings = settings
  }
}

/// What is done on purpose to the frames that come from a port; rates in percent.
package struct FaultReport: Codable, Sendable, Equatable {
  /// Where the generator started.
  package var seed: UInt64
  /// Dropped.
  package var loss: Double
  /// Received twice.
  package var duplication: Double
  /// Overtaken by later ones.
  package var reordering: Double
  /// With some bytes changed.
  package var corruption: Double
  /// Cut off.
  package var truncation: Double

  /// Tells settings in percent.
  package init(_ settings: FaultSettings) {
    func percent(_ rate: UInt32) -> Double { Double(rate) * 100 / Double(FaultSettings.scale) }
    seed = settings.seed
    loss = percent(settings.loss)
    duplication = percent(settings.duplication)
    reordering = percent(settings.reordering)
    corruption = percent(settings.corruption)
    truncation = percent(settings.truncation)
  }
}

extension FaultReport: CustomStringConvertible {
  /// `loss 10 %, duplication 0.5 %, seed 7`: the kinds that happen, then the seed.
  package var description: String {
    let kinds = [
      ("loss", loss), ("duplication", duplication), ("reordering", reordering),
      ("corruption", corruption), ("truncation", truncation),
    ]
    let shown = kinds.filter { $0.1 > 0 }.map { "\($0.0) \(FaultReport.short($0.1)) %" }
    return (shown + ["seed \(seed)"]).joined(separator: ", ")
  }

  private static func short(_ percent: Double) -> String {
    percent == percent.rounded() ? "\(Int(percent))" : "\(percent)"
  }
}
