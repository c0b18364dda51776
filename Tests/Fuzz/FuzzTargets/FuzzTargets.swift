// SPDX-License-Identifier: Apache-2.0

// What the fuzzer feeds with bytes, and what must hold whatever they are.
//
// Each target is a function of some bytes that returns if all is well, throws a `Violation` if a
// promise was broken, and traps if the code under test does. The fuzzer (`../Fuzzer`) looks for
// bytes that make it throw or trap; `../FuzzTests` replays what it kept in `../Corpora`.
//
// - `FuzzTarget`: the list of targets; the functions behind them are in its extensions.
// - `PlainOpening`: VXLAN as the RFCs put it, to compare `openVXLAN` with.
// - `PlainLink`: a session of the mesh in clear, to compare `Link` with.
// - `PlainSleeve`: sleeve's records as they are defined, to compare `SleeveRecords` with.
// - `PlainSecurity`: ESP as it is defined, to compare `openESP` and `VXLANOpened` with.
// - `SecurityPlay`: a switch whose neighbours seal.
// - `SealingPlay`: two ends that seal and open, and somebody between them.
// - `SleevePlay`: a switch whose neighbours are reached by sleeve.
// - `PlainNetlink`: netlink's framing, to compare `NetlinkReply` with.
// - `Reading`: takes numbers off the front of an input.

/// Something that bytes can be fed to.
package enum FuzzTarget: String, CaseIterable, Sendable {
  /// The views, writers and values of all headers.
  case headers
  /// The Internet checksum, whole, in parts and updated.
  case checksum
  /// The complete check of an outer frame.
  case opening
  /// The hash that spreads flows.
  case flow
  /// The views of sleeve's datagrams, and a worker that gets and sends them.
  case sleeve
  /// The check of an ESP packet and of its text, and a worker whose neighbours seal.
  case esp
  /// The keys with which packets between peers are sealed and opened.
  case sealing
  /// The overlays of a connection, told what the bytes say.
  case overlay
  /// A worker with ports of both kinds, and the books it keeps.
  case worker
  /// The TOML reader.
  case toml
  /// A whole configuration file.
  case configuration
  /// Messages from the kernel.
  case netlink
  /// The record of an attachment in an interface's alias.
  case attachment
  /// A session of the mesh.
  case link
  /// Any stream of Go's encoding.
  case gob
  /// What peers tell each other: features, envelopes and topology.
  case topology

  /// Tries the bytes.
  package func run(_ bytes: [UInt8]) throws {
    switch self {
    case .headers: try FuzzTarget.headers(bytes)
    case .checksum: try FuzzTarget.checksum(bytes)
    case .opening: try FuzzTarget.opening(bytes)
    case .flow: try FuzzTarget.flow(bytes)
    case .sleeve: try FuzzTarget.sleeve(bytes)
    case .esp: try FuzzTarget.esp(bytes)
    case .sealing: try FuzzTarget.sealing(bytes)
    case .overlay: try FuzzTarget.overlay(bytes)
    case .worker: try FuzzTarget.worker(bytes)
    case .toml: try FuzzTarget.toml(bytes)
    case .configuration: try FuzzTarget.configuration(bytes)
    case .netlink: try FuzzTarget.netlink(bytes)
    case .attachment: try FuzzTarget.attachment(bytes)
    case .link: try FuzzTarget.link(bytes)
    case .gob: try FuzzTarget.gob(bytes)
    case .topology: try FuzzTarget.topology(bytes)
    }
  }
}

/// A promise that was not kept.
package struct Violation: Error, CustomStringConvertible {
  /// What should have been.
  package let description: String
}

/// Throws unless the promise was kept.
func hold(_ isKept: Bool, _ promise: @autoclosure () -> String) throws {
  guard isKept else { throw Violation(description: promise()) }
}

/// Takes numbers and bytes off the front of an input; what is missing in the end is zero.
struct Reading {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) {
    rest = bytes[...]
  }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

  mutating func number() -> UInt16 { UInt16(byte()) << 8 | UInt16(byte()) }

  /// So many bytes, or fewer if there are no more.
  mutating func bytes(_ count: Int) -> [UInt8] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }
}
