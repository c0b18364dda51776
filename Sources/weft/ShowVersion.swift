// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlAPI
import ControlPlane

/// `weft version`.
struct ShowVersion: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version",
    abstract: "Print the version of this program.",
    discussion: "The daemon's own version is in 'weft status'.")

  @Flag(help: "Print JSON instead of text.")
  var json = false

  func run() throws {
    print(json ? try JSONForm.pretty(["version": Version.text]) : "weft \(Version.text)")
  }
}
