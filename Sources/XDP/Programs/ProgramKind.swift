// SPDX-License-Identifier: Apache-2.0

public import Inet

/// Which of our XDP programs; their sources are `bpf/underlay.bpf.c` and `bpf/port.bpf.c`.
public enum ProgramKind: String, Sendable, BitwiseCopyable, CaseIterable {
  /// On the outer network: redirects overlay traffic for our own addresses, plain and sealed, to
  /// the sockets.
  ///
  /// Everything else stays the host's, and everything does where no socket is there.
  case underlay

  /// On the switch's end of a container's veth: redirects every frame to the sockets.
  ///
  /// Where no socket is there the frame is dropped and counted as missed.
  case port

  /// The program's name in the kernel, as `ip link` and `bpftool` show it.
  public var programName: String { ProgramKind.namePrefix + rawValue }

  /// What the names of all our programs begin with; a restarted daemon knows its own by it.
  public static var namePrefix: String { "weft_" }
}

/// An outer address of this host at which overlay traffic arrives.
public struct OverlayAddress: Hashable, Sendable, BitwiseCopyable {
  /// The outer IPv4 destination address.
  public let address: IPv4Address

  /// The outer UDP destination port: 6784 for VXLAN and 6783 for sleeve, unless configured.
  public let port: UInt16

  /// Pairs an address with a UDP port.
  public init(address: IPv4Address, port: UInt16) {
    self.address = address
    self.port = port
  }
}

extension OverlayAddress: CustomStringConvertible {
  /// `address:port`.
  public var description: String { "\(address):\(port)" }
}

/// What the overlay's ESP packets (RFC 4303) are known by when they arrive.
public struct SecurityAssociation: Hashable, Sendable, BitwiseCopyable {
  /// The outer IPv4 destination address.
  public let address: IPv4Address

  /// The security parameters index (SPI), which the receiver chose.
  public let identifier: UInt32

  /// Pairs an address with an SPI.
  public init(address: IPv4Address, identifier: UInt32) {
    self.address = address
    self.identifier = identifier
  }
}

extension SecurityAssociation: CustomStringConvertible {
  /// `address 0x1234abcd`.
  public var description: String {
    let digits = String(identifier, radix: 16)
    return "\(address) 0x\(String(repeating: "0", count: 8 - digits.count))\(digits)"
  }
}
