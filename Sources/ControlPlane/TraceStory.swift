// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Wire

/// The names of what records know by number, at one moment.
struct TraceNames: Sendable {
  /// A port.
  struct Port: Sendable, Equatable {
    var interface: String
    var kind: PortReport.Kind
    /// A container's network namespace.
    var netns: String?
  }

  /// An endpoint.
  struct Endpoint: Sendable, Equatable {
    var address: IPv4Address
    var network: VirtualNetwork
    var port: UInt16
  }

  var ports: [PortIndex: Port]
  var endpoints: [EndpointIndex: Endpoint]
  /// Names of the mesh's peers.
  var peers: [EndpointIndex: String] = [:]
  /// Those that are reached by sleeve.
  var sleevePeers: Set<EndpointIndex> = []

  /// `weft-1a2b (c1)`; a port that is gone by now has only its number.
  func text(_ port: PortIndex) -> String {
    guard let named = ports[port] else { return "port \(port.number)" }
    return TraceNames.text(named.interface, named.kind, named.netns)
  }

  /// A port for people: its interface, and what is behind it in brackets.
  static func text(_ interface: String, _ kind: PortReport.Kind, _ netns: String?) -> String {
    switch kind {
    case .host: "\(interface) (host)"
    case .underlay: interface
    case .container: netns.map { "\(interface) (\(ContainerNamespace.label($0)))" } ?? interface
    }
  }

  /// Where a station is: `endpoint 192.0.2.2, VNI 42` or `port weft-1a2b (c1)`.
  func text(_ location: Location) -> String {
    guard location.isEndpoint else { return "port \(text(location.port))" }
    if let peer = peers[location.endpoint] { return "peer \(peer)" }
    guard let endpoint = endpoints[location.endpoint] else {
      return "\(location.isPeer ? "peer" : "endpoint") number \(location.endpoint.number)"
    }
    return "endpoint \(endpoint.address), VNI \(endpoint.network)"
  }
}

/// A record told in words.
struct TraceStory {
  let record: TraceRecord
  let names: TraceNames

  /// The report of the frame, which was drawn `milliseconds` after the trace began.
  func frame(milliseconds: Double) -> TraceReport.Frame {
    let port = names.ports[record.port]
    let end: TraceReport.Frame.End =
      record.sentCount == 0 ? .dropped : record.isFlood ? .flooded : .sent
    return TraceReport.Frame(
      worker: UInt32(record.worker), milliseconds: milliseconds,
      port: port?.interface ?? names.text(record.port),
      kind: port?.kind ?? (record.isUnderlay ? .underlay : .container), netns: port?.netns,
      length: record.receivedLength, bytes: TraceStory.hexadecimal(bytes[...]), steps: steps,
      end: end, dropReason: record.drop?.identifier)
  }

  /// The frame's beginning as received.
  private var bytes: [UInt8] {
    (0..<min(Int(record.byteCount), TraceRecord.byteCountMax)).map { record.bytes[$0] }
  }

  private var steps: [TraceReport.Step] {
    var steps: [TraceReport.Step] = []
    func say(_ stage: TraceStage, _ text: String) {
      steps.append(TraceReport.Step(stage: stage.label, text: text))
    }
    let last = record.drop == nil ? TraceStage.end : record.dropStage
    if record.isUnderlay { say(.open, opened) }
    if last.isAtOrAfter(.parse) { say(.parse, parsed) }
    if record.acquaintance != .notAsked { say(.learn, learned) }
    if record.finding != .notAsked { say(.lookUp, found) }
    if record.isForEndpoint { say(.encapsulate, encapsulated) }
    say(.end, ended)
    return steps
  }

  /// Who sent the outer packet, as far as it says so.
  private var opened: String {
    let isOpen = record.drop == nil || record.dropStage != .open
    if isOpen && record.origin.isPeer && record.innerOffset == 0 {
      return "sleeve, \(names.text(record.origin)), \(record.innerLength) bytes inside"
    }
    let whole =
      bytes
      + [UInt8](
        repeating: 0, count: max(0, Int(min(record.receivedLength, 65_535)) - bytes.count))
    switch openVXLAN(whole.span) {
    case .opened(let outer):
      return "VXLAN from \(outer.source), VNI \(outer.network), \(outer.innerLength) bytes inside"
    case .rejected:
      return openedBySecurity(whole, isOpen: isOpen)
        ?? TraceSummary.text(bytes, length: Int(record.receivedLength)) ?? "no Ethernet header"
    }
  }

  /// Who sent a packet of ESP and by which key; nil if it is something else.
  private func openedBySecurity(_ whole: [UInt8], isOpen: Bool) -> String? {
    guard case .opened(let packet) = openESP(whole.span) else { return nil }
    let digits = String(packet.identifier, radix: 16)
    let identifier = "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    let beginning = "ESP from \(packet.source), SPI \(identifier)"
    return isOpen ? "\(beginning), VXLAN, \(record.innerLength) bytes inside" : beginning
  }

  private var parsed: String {
    let inner = Array(bytes.dropFirst(Int(record.innerOffset)))
    guard let header = EthernetHeader(inner.span) else { return "no Ethernet header" }
    let summary = TraceSummary.text(inner, length: Int(record.innerLength)) ?? ""
    return "\(header.source) > \(header.destination)  \(summary)"
  }

  private var learned: String {
    switch record.acquaintance {
    case .notAsked: ""
    case .inPlace: "known at this \(record.origin.isEndpoint ? "endpoint" : "port")"
    case .unknown: "new, hint to the control plane"
    case .elsewhere: "known at \(names.text(record.home)), hint to the control plane"
    }
  }

  private var found: String {
    switch record.finding {
    case .notAsked: ""
    case .station: "station at \(names.text(record.destination))"
    case .group: "group address, to everybody"
    case .unknown: "not known, to everybody"
    case .relay: "for another peer, \(names.text(record.destination)), as it came"
    }
  }

  private var encapsulated: String {
    let index = record.destination.endpoint
    let isSleeve = record.destination.isPeer && names.sleevePeers.contains(index)
    let overlay = isSleeve ? "sleeve" : "VXLAN"
    guard let endpoint = names.endpoints[index] else { return overlay }
    let target = "\(overlay) to \(endpoint.address):\(endpoint.port)"
    let isDone = record.drop == nil || record.dropStage == .end
    return isDone ? "\(target), \(record.sentLength) bytes" : target
  }

  private var ended: String {
    let reason = record.drop.map { "\($0.sentence) (\($0.identifier))" } ?? ""
    guard record.sentCount > 0 else { return reason }
    guard record.isFlood else { return names.text(record.exit) }
    let receivers = record.receiverCount == 1 ? "1 receiver" : "\(record.receiverCount) receivers"
    guard record.drop != nil else { return receivers }
    return "\(receivers), \(record.receiverCount &- record.sentCount) of them lost it: \(reason)"
  }

  private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

extension TraceStage {
  /// The stage as people call it.
  fileprivate var label: String { self == .lookUp ? "look up" : "\(self)" }

  fileprivate func isAtOrAfter(_ other: TraceStage) -> Bool { rawValue >= other.rawValue }
}

extension ContainerNamespace {
  /// `c1` for a namespace that `ip netns` would call so, else the path or `pid 42`.
  package static func label(_ netns: String) -> String {
    for directory in ["/run/netns/", "/var/run/netns/"] where netns.hasPrefix(directory) {
      let name = netns.dropFirst(directory.count)
      if !name.isEmpty, !name.contains("/") { return String(name) }
    }
    return netns
  }
}
