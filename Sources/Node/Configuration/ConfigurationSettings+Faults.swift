// SPDX-License-Identifier: Apache-2.0

import ControlPlane

/// The keys of `[[fault]]`.
extension ConfigurationSettings {
  static let faultInterface = ConfigurationSetting<String>.text(
    .init(
      table: "fault", name: "interface", takesEffect: .reload,
      meaning: "The port: the underlay by its interface, the host's own, or those of all "
        + "containers."),
    default: nil,
    accepted: "the interface of [underlay], \"\(PortFault.host)\" or \"\(PortFault.containers)\""
  ) { $0.isEmpty ? "is empty" : nil }

  static let seed = ConfigurationSetting<UInt64>.number(
    .init(
      table: "fault", name: "seed", takesEffect: .reload,
      meaning: "Where the random numbers start: the same frames then meet the same faults."),
    in: 1...Int(Int32.max), default: 1)

  static let loss = rate("loss", "Frames that are dropped.")
  static let duplication = rate("duplication", "Frames that arrive twice.")
  static let reordering = rate("reordering", "Frames that one to eight later ones overtake.")
  static let corruption = rate("corruption", "Frames of which one to three bytes are changed.")
  static let truncation = rate("truncation", "Frames that lose a part of their end.")

  private static func rate(_ name: String, _ meaning: String) -> ConfigurationSetting<UInt32> {
    .percentage(
      .init(table: "fault", name: name, takesEffect: .reload, meaning: meaning))
  }
}
