// SPDX-License-Identifier: Apache-2.0

/// Why a frame ended in a worker.
///
/// Each reason is one counter and one sentence.
public enum DropReason: UInt8, CaseIterable, Sendable, BitwiseCopyable {
  /// Shorter than an Ethernet header.
  case frameTooShort
  /// The source address is a group address or all zeros (IEEE 802.3, 3.2.3).
  case sourceNotStation
  /// The destination is behind the port the frame came from.
  case samePort
  /// It came from an endpoint and its destination is behind an endpoint: they reach each other.
  case splitHorizon
  /// A flood that nobody else is there to receive.
  case nobodyToFloodTo
  /// The outer packet is not the UDP over IPv4 that the underlay program lets through.
  case outerNotUDP
  /// The outer headers claim more bytes than there are, or lengths that contradict each other.
  case outerMalformed
  /// The outer IPv4 header's checksum is wrong.
  case outerChecksumWrong
  /// The outer packet is a fragment.
  case outerFragment
  /// The VXLAN header lacks the I flag (RFC 7348, section 5).
  case networkFlagMissing
  /// The frame inside is shorter than an Ethernet header.
  case innerTooShort
  /// Nobody configured sends from this address with this network identifier, or to the mesh's port
  /// no neighbour does.
  case endpointUnknown
  /// The short number of sender or receiver belongs to no peer of the mesh, or we have none.
  case peerUnknown
  /// A frame of our own came back over the mesh, or one that we relay would go back at once.
  case meshLoop
  /// A datagram of sleeve is too short, or ends within a record.
  case sleeveMalformed
  /// A sealed packet does not open: it was changed on the way, or sealed with another key, or not
  /// sealed at all.
  case notAuthentic
  /// A sealed packet was opened before, or is too old to tell.
  case replayed
  /// VXLAN in clear from a neighbour whose frames have to be sealed.
  case notSealed
  /// An ESP packet whose SPI belongs to no neighbour, or with nothing in it that makes sense.
  case securityUnknown
  /// There is no key yet for what is sent to a neighbour, or it has no numbers left.
  case keyMissing
  /// A frame between the ends of an overlay that is not from the neighbour itself for us.
  case specialMisplaced
  /// The ring of reports to the control plane is full.
  case controlRingFull
  /// The pieces of a long frame are not as the kernel gives them, or no chunk is left for one.
  case piecesMissing
  /// The endpoint's next hop has no known MAC address yet.
  case nextHopUnresolved
  /// With the outer headers the frame is longer than the underlay carries.
  case tooLongForUnderlay
  /// The frame is longer than the port it goes to carries.
  case tooLongForPort
  /// The port the frame goes to is being removed.
  case portGone
  /// The TX ring is full: the receiving side does not keep up.
  case transmitRingFull
  /// No free frame for a copy of a frame that is flooded, or that another worker handed over.
  case noFrameForCopy
  /// The ring to the worker that serves the port it goes to is full.
  case handOverRingFull
  /// The port it came from loses frames on purpose.
  case faultInjected

  /// What happened, for a person.
  public var sentence: String {
    switch self {
    case .frameTooShort: "shorter than an Ethernet header"
    case .sourceNotStation: "its source address is a group address or all zeros"
    case .samePort: "its destination is behind the port it came from"
    case .splitHorizon: "came from an endpoint and its destination is behind an endpoint"
    case .nobodyToFloodTo: "flooded, and nobody else is there to receive it"
    case .outerNotUDP: "the outer packet is not UDP over IPv4"
    case .outerMalformed: "the outer headers' lengths do not fit the packet"
    case .outerChecksumWrong: "the outer IPv4 header's checksum is wrong"
    case .outerFragment: "the outer packet is an IPv4 fragment"
    case .networkFlagMissing: "the VXLAN header does not carry a network identifier"
    case .innerTooShort: "the frame inside is shorter than an Ethernet header"
    case .endpointUnknown: "no endpoint or neighbour sends from this address with this identifier"
    case .peerUnknown: "a short number or a name in it belongs to no peer of the mesh"
    case .meshLoop: "it went in a circle through the mesh"
    case .sleeveMalformed: "a sleeve datagram is too short, or ends within a record"
    case .notAuthentic: "a sealed packet does not open with the link's key"
    case .replayed: "a sealed packet was opened before, or is too old to tell"
    case .notSealed: "it came in clear from a neighbour whose frames have to be sealed"
    case .securityUnknown: "an ESP packet that belongs to no neighbour, or makes no sense inside"
    case .keyMissing: "no key is there yet to seal it with, or it has no numbers left"
    case .specialMisplaced: "a heartbeat or test that is not from the neighbour itself for us"
    case .controlRingFull: "the ring of reports to the control plane is full"
    case .piecesMissing: "a long frame's pieces do not fit together, or no chunk was left for one"
    case .nextHopUnresolved: "the endpoint's next hop is not resolved"
    case .tooLongForUnderlay: "with outer headers it is longer than the underlay's MTU"
    case .tooLongForPort: "it is longer than the MTU of the port it goes to"
    case .portGone: "the port it goes to is being removed"
    case .transmitRingFull: "the port's TX ring is full"
    case .noFrameForCopy: "no free frame was left for a copy"
    case .handOverRingFull: "the ring to the worker that serves the port it goes to is full"
    case .faultInjected: "lost on purpose, as the port it came from has faults"
    }
  }

  /// The name used in status, JSON and metrics.
  public var identifier: String { String(describing: self) }
}
