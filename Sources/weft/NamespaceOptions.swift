// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlPlane
import Foundation
import Inet

/// Which container a command is about.
struct NamespaceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The container's network namespace.",
      discussion: """
        An absolute path, a path with a slash from the current directory, or a name without a \
        slash, which stands for /run/netns/NAME as with 'ip netns'.
        """, valueName: "path"),
    transform: Self.absolute)
  var netns: String?

  @Option(help: ArgumentHelp("A process in the container's network namespace.", valueName: "n"))
  var pid: Int32?

  private static func absolute(_ path: String) -> String {
    if path.hasPrefix("/") || path.isEmpty { return path }
    if !path.contains("/") { return "/run/netns/\(path)" }
    let directory = FileManager.default.currentDirectoryPath
    return URL(fileURLWithPath: "\(directory)/\(path)").standardizedFileURL.path
  }
}

/// Readers for arguments, with errors that say what is accepted.
enum Reading {
  static func prefix(_ text: String) throws -> IPv4Prefix {
    if let prefix = IPv4Prefix(text) { return prefix }
    if IPv4Address(text) != nil {
      throw ValidationError(
        "'\(text)' has no prefix length: give the subnet's as well, like \(text)/24")
    }
    throw ValidationError(
      "'\(text)' is not an address with a prefix length: give one like 10.32.0.1/12")
  }

  static func mac(_ text: String) throws -> MACAddress {
    guard let mac = MACAddress(text) else {
      throw ValidationError(
        "'\(text)' is not a MAC address: give six octets like 02:00:00:00:00:0a")
    }
    return mac
  }

  /// Lets a mistake in a request be one of the command line.
  static func check<Value>(_ validated: () throws(RequestError) -> Value) throws {
    do {
      _ = try validated()
    } catch {
      throw ValidationError(error.description)
    }
  }
}
