// SPDX-License-Identifier: Apache-2.0

public import Forwarding
public import Inet
internal import Wire

/// How outer packets reach an endpoint whose next hop is resolved.
///
/// To a peer of the mesh that is no neighbour, this is the path to the neighbour on the way there.
public struct EndpointPath: Sendable, Equatable {
  /// Our MAC address on the underlay.
  public var sourceMAC: MACAddress
  /// The next hop's MAC address.
  public var destinationMAC: MACAddress
  /// Our underlay address.
  public var source: IPv4Address
  /// The endpoint's underlay address.
  public var destination: IPv4Address
  /// The UDP port on which the endpoint expects VXLAN.
  public var destinationPort: UInt16
  /// The network identifier the endpoint expects (RFC 7348, section 5).
  ///
  /// Of a path to a peer of the mesh it means nothing: there it follows from the short numbers.
  public var network: VirtualNetwork
  /// Longest inner frame in bytes, with its Ethernet header, that fits the underlay's MTU.
  public var innerLengthMax: Int
  /// The underlay port to send through; nil: the one that the endpoint was added with.
  public var underlayPort: PortIndex?
  /// Where the key is that frames are sealed with (`FrameKeys`); nil if they are not.
  public var sealing: UInt16?
  /// What sleeve needs besides; nil if frames travel as VXLAN.
  public var sleeve: Sleeve?

  /// What a path by sleeve needs besides.
  public struct Sleeve: Sendable, Equatable {
    /// Our UDP port, from which datagrams are sent.
    public var sourcePort: UInt16
    /// Longest UDP payload that the underlay carries in one piece.
    public var datagramLengthMax: Int
    /// The kernel's sockets, for datagrams that the underlay may fragment.
    public var fragmentPort: PortIndex
    /// Whether longer datagrams may be sent, for the underlay to fragment.
    public var mayFragment: Bool

    /// Describes the rest of a path.
    public init(
      sourcePort: UInt16, datagramLengthMax: Int, fragmentPort: PortIndex,
      mayFragment: Bool
    ) {
      self.sourcePort = sourcePort
      self.datagramLengthMax = datagramLengthMax
      self.fragmentPort = fragmentPort
      self.mayFragment = mayFragment
    }
  }

  /// Describes a path.
  public init(
    sourceMAC: MACAddress, destinationMAC: MACAddress, source: IPv4Address,
    destination: IPv4Address, destinationPort: UInt16, network: VirtualNetwork,
    innerLengthMax: Int
  ) {
    self.sourceMAC = sourceMAC
    self.destinationMAC = destinationMAC
    self.source = source
    self.destination = destination
    self.destinationPort = destinationPort
    self.network = network
    self.innerLengthMax = innerLengthMax
  }

  /// The snapshot's form of the path.
  ///
  /// A length that no outer packet can have becomes the nearest one that it can.
  func record(port: PortIndex, network: VirtualNetwork) -> EndpointRecord {
    let template = VXLANTemplate(
      sourceMAC: sourceMAC, destinationMAC: destinationMAC, source: source,
      destination: destination, destinationPort: destinationPort, network: network)
    let length = min(max(innerLengthMax, 0), VXLANTemplate.innerLengthMax)
    var record = EndpointRecord(
      template: template, innerLengthMax: UInt32(length), port: underlayPort ?? port)
    record.sealing = sealing ?? EndpointRecord.noKey
    // So that one comparison, which VXLAN needs anyway, finds the frames that are not for it.
    if sealing != nil || sleeve != nil { record.innerLengthMax = 0 }
    guard let sleeve else { return record }
    record.overlay = .sleeve
    record.datagramLengthMax = UInt32(clamping: sleeve.datagramLengthMax)
    record.fragmentPort = sleeve.fragmentPort
    record.mayFragment = sleeve.mayFragment
    return record
  }
}
