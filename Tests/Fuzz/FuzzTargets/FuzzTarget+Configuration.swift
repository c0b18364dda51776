// SPDX-License-Identifier: Apache-2.0

import ControlPlane
import Inet

@testable import Node

extension FuzzTarget {
  static func toml(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    var parser = TOMLParser(text)
    do {
      let root = try parser.parse()
      try spellAgain(root)
    } catch let error as TOMLSyntaxError {
      try check(error, in: text)
    }
  }

  /// What was read means the same when it is written in the simplest spelling.
  private static func spellAgain(_ root: [String: TOMLNode]) throws {
    let spelling = PlainTOML.spelling(root)
    var parser = TOMLParser(spelling)
    do {
      let again = try parser.parse()
      try hold(PlainTOML.spelling(again) == spelling, "read again, it is the same: \(spelling)")
    } catch let error as TOMLSyntaxError {
      // Sections may be nested deeper than values in one line may.
      try hold(error.message.contains("nesting deeper"), "\(error.message): \(spelling)")
    }
  }

  private static func check(_ error: TOMLSyntaxError, in text: String) throws {
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    try hold(1...lines.count ~= error.line, "line \(error.line) of \(lines.count)")
    let length = lines[error.line - 1].count { $0 & 0xC0 != 0x80 }
    try hold(1...length + 1 ~= error.column, "column \(error.column) of \(length)")
    try hold(isOneLine(error.message), "a message is a line: \(error.message)")
  }

  static func configuration(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    let machine = MachineFacts(cores: [0, 1, 3], interfaces: ["lo", "eth0"])
    do {
      let configuration = try Configuration.parse(text: text, file: "f.toml", against: machine)
      try check(configuration, machine)
    } catch let errors as ConfigurationErrors {
      try check(errors, in: text)
    }
  }

  private static func check(_ configuration: Configuration, _ machine: MachineFacts) throws {
    let interface = configuration.underlay.interface
    try hold(interface.map(machine.interfaces.contains) ?? true, "interface")
    try hold(interface != nil || configuration.underlay.mode != .xdp, "mode")
    let cores = configuration.workers.cores ?? [0]
    try hold(!cores.isEmpty && Set(cores).count == cores.count, "cores differ")
    try hold(machine.cores.isSuperset(of: cores), "cores are there")
    let frames = configuration.workers.frames
    try hold(1024...1_048_576 ~= frames && frames.nonzeroBitCount == 1, "frames")
    try hold(576...65_535 ~= configuration.overlay.mtu ?? 576, "mtu")
    try hold(configuration.underlay.vxlanPort > 0, "port")
    try hold(configuration.api.socket.hasPrefix("/"), "socket")
    try hold(configuration.mesh.port > 0, "mesh port")
    try hold(configuration.mesh.password == nil, "no file is read but the one that is checked")
    for peer in configuration.mesh.peers {
      try hold(PeerTarget(peer.description) == peer, "peer")
    }
    for endpoint in configuration.vteps {
      try hold(endpoint.address.isUnicast && endpoint.port > 0, "endpoint")
      try hold(endpoint.vni.bits < 1 << 24, "network")
    }
  }

  private static func check(_ errors: ConfigurationErrors, in text: String) throws {
    let lineCount = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
    // The last may say how many were left out.
    try hold(1...201 ~= errors.issues.count, "\(errors.issues.count) issues")
    var last = 0
    for issue in errors.issues {
      try hold(isOneLine(issue.description), "an issue is a line: \(issue)")
      guard let line = issue.line else { continue }
      try hold(1...lineCount ~= line && last <= line, "issues in the order of lines: \(issue)")
      last = line
    }
  }

  private static func isOneLine(_ text: String) -> Bool {
    text.utf8.count < 2000 && text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
  }
}

/// TOML with one way to say each thing: inline tables with sorted keys, and escaped text.
private enum PlainTOML {
  static func spelling(_ root: [String: TOMLNode]) -> String {
    sorted(root).map { "\(text($0)) = \(value($1.content))\n" }.joined()
  }

  private static func sorted(_ members: [String: TOMLNode]) -> [(String, TOMLNode)] {
    members.map { ($0.key, $0.value) }.sorted { text($0.0) < text($1.0) }
  }

  private static func value(_ content: TOMLNode.Content) -> String {
    switch content {
    case .text(let string): text(string)
    case .integer(let number): "\(number)"
    case .decimal(let number): decimal(number)
    case .boolean(let flag): "\(flag)"
    case .moment: "1979-05-27"
    case .array(let nodes): "[" + nodes.map { value($0.content) }.joined(separator: ", ") + "]"
    case .table(let members):
      "{" + sorted(members).map { "\(text($0)) = \(value($1.content))" }.joined(separator: ", ")
        + "}"
    }
  }

  private static func decimal(_ number: Double) -> String {
    number.isNaN ? "nan" : number.isInfinite ? (number < 0 ? "-inf" : "inf") : "\(number)"
  }

  private static func text(_ string: String) -> String {
    let escaped = string.unicodeScalars.map { scalar in
      let code = String(scalar.value, radix: 16)
      return "\\U" + String(repeating: "0", count: 8 - code.count) + code
    }
    return "\"" + escaped.joined() + "\""
  }
}
