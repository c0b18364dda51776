// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import Inet
internal import NIOCore

/// Why the mesh's sockets cannot be opened.
package enum TransportError: Error, Equatable, Sendable {
  /// Somebody else has the port.
  case portTaken(Inet.SocketAddress, kind: String)
  /// The address is none of this host's.
  case addressMissing(Inet.SocketAddress)
  /// The kernel refused a call.
  case system(call: String, errno: Int32)
  /// Something else, in words.
  case other(String)
}

extension TransportError: CustomStringConvertible {
  /// What failed, and what to do.
  package var description: String {
    switch self {
    case .portTaken(let address, let kind):
      "\(kind) port \(address.port) of \(address.address) is taken; end what has it "
        + "(ss -anp shows it) or give the mesh another port"
    case .addressMissing(let address):
      "\(address.address) is not an address of this host; give one that is, or 0.0.0.0 for all"
    case .system(let call, let number):
      "\(call) failed for the mesh's sockets: \(systemErrorText(number))"
    case .other(let text): "the mesh's sockets cannot be opened: \(text)"
    }
  }

  /// The error that a failed call at `address` means.
  init(_ call: String, _ number: Int32, _ address: Inet.SocketAddress, kind: String) {
    self =
      switch number {
      case EADDRINUSE: .portTaken(address, kind: kind)
      case EADDRNOTAVAIL: .addressMissing(address)
      default: .system(call: call, errno: number)
      }
  }
}

/// Why a link could not be made or came to its end, in words.
enum LinkEnd {
  static let closedByOtherEnd = "the other end closed the connection"

  /// Why dialling failed.
  static func ofDial(_ error: any Error) -> String {
    if case .some(.connectTimeout) = error as? ChannelError {
      return "timed out: nothing answers at that address"
    }
    switch (error as? IOError)?.errnoCode {
    case ECONNREFUSED: return "connection refused: no peer listens there"
    case EHOSTUNREACH, ENETUNREACH: return "no route: that address cannot be reached from here"
    case ETIMEDOUT: return "timed out: nothing answers at that address"
    case EADDRNOTAVAIL: return "no address: this host has no longer the one that the mesh uses"
    case EACCES, EPERM: return "not permitted: a firewall of this host forbids it"
    case EMFILE, ENFILE: return "too many open files: raise the limit (ulimit -n)"
    case let number?: return systemErrorText(number)
    case nil: return "\(error)"
    }
  }

  /// Why a link ended by itself.
  static func ofLink(_ error: (any Error)?) -> String {
    switch (error as? IOError)?.errnoCode {
    case ECONNRESET, EPIPE: "the other end reset the connection"
    case ETIMEDOUT: "timed out: the other end answers no more"
    case EHOSTUNREACH, ENETUNREACH: "no route: the other end can no longer be reached"
    case let number?: systemErrorText(number)
    case nil: error.map { "\($0)" } ?? closedByOtherEnd
    }
  }

  static func tooMuch(_ length: Int) -> String {
    "too slow: \(length) bytes wait to be sent, and the other end does not take them"
  }

  static func stalled(_ length: Int, _ time: Duration) -> String {
    "too slow: the other end took nothing of \(length) bytes for \(time)"
  }
}
