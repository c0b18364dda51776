// SPDX-License-Identifier: Apache-2.0

import Inet
public import Sealing

/// All overlays of one connection, side by side; the best one that works carries frames (wire
/// notes, sections 12 to 14).
///
/// The connection is established as soon as an overlay works, and fails when none does any more, or
/// none ever did for a minute.
public struct OverlaySwitch: Sendable {
  /// Names we advertise, best first.
  public static let advertised = OverlayKind.allCases.map(\.rawValue)

  private let options: Options
  private var fastdp: FastdpLink?
  private var sleeve: SleeveLink?
  private var badControls: UInt64 = 0

  /// What carries frames; nil: nothing does yet.
  public private(set) var chosen: OverlayKind?
  /// Why it does, instead of what did before.
  public private(set) var reason = ""
  private var isConfirmed = false
  private var isOver = false

  /// Chooses the overlays that both ends speak; nil in `remoteOverlays` means an old peer, which
  /// speaks sleeve without an index and is refused.
  ///
  /// An overlay's number in control messages is its place among those that both ends speak, in our
  /// order: a Weave peer must never see a number beyond that.
  ///
  /// - Throws: `OverlayError` if there is none.
  public init(
    _ options: Options, ownOverlays: [OverlayKind] = OverlayKind.allCases,
    remoteOverlays: [String]?
  ) throws(OverlayError) {
    guard let remoteOverlays else { throw .notAdvertised }
    self.options = options
    let own = OverlayKind.allCases.filter(ownOverlays.contains)
    let common = own.filter { remoteOverlays.contains($0.rawValue) }
    if let index = common.firstIndex(of: .fastdp) {
      fastdp = FastdpLink(options, index: UInt8(clamping: index))
    }
    if let index = common.firstIndex(of: .sleeve) {
      sleeve = SleeveLink(options, index: UInt8(clamping: index))
    }
    guard sleeve != nil || fastdp?.refusal == nil && fastdp != nil else {
      if let refusal = fastdp?.refusal { throw .notUsable(refusal) }
      throw .nothingInCommon(ours: own.map(\.rawValue), theirs: remoteOverlays)
    }
  }

  // MARK: What others see

  /// Whether an overlay works.
  public var isEstablished: Bool { chosen != nil }
  /// The best overlay that works, or may.
  public var best: OverlayKind { chosen ?? (fastdpLink == nil ? .sleeve : .fastdp) }
  /// VXLAN's link; nil if there is none, or it is never used.
  public var fastdpLink: MeshForwarding.Neighbour.Link? { fastdp?.link }
  /// Sleeve's link; nil if there is none.
  public var sleeveLink: MeshForwarding.Neighbour.Link? { sleeve?.link }
  /// Seals what goes by sleeve; nil: nothing is sealed.
  public var key: SessionKey? { options.key }

  /// The high half of the SPIs that we choose; nil if nothing is sealed.
  var identifierPrefix: UInt16? { options.terms?.identifierPrefix }

  /// How the best overlay's frames are sealed; nil: they are not.
  public var suite: CipherSuite? {
    guard let link = best == .fastdp ? fastdpLink : sleeveLink else { return nil }
    return link.security?.suite
  }

  /// What `status connections` shows: `name`, `mtu`, `encrypted` if so.
  public var attributes: [String: String] {
    let link = best == .fastdp ? fastdpLink : sleeveLink
    let mtu = max(0, (link?.frameLengthMax ?? 0) - 14)
    var attributes = ["name": best.rawValue, "mtu": String(mtu)]
    if options.key != nil { attributes["encrypted"] = "true" }
    return attributes
  }

  /// Counts.
  public var counts: Counts {
    var counts = fastdp?.counts ?? Counts()
    if let sleeve { counts.add(sleeve.counts) }
    counts.badControls += badControls
    return counts
  }

  /// When `advance` is due; nil: never.
  public var nextDeadline: MeshInstant? {
    guard !isOver else { return nil }
    return [fastdp?.nextDeadline, sleeve?.nextDeadline].compactMap(\.self).min()
  }

  // MARK: Inputs

  /// The connection is part of the topology: datagrams may be sent from now on.
  public mutating func confirm(now: MeshInstant) -> [OverlayEffect] {
    guard !isOver, !isConfirmed else { return [] }
    isConfirmed = true
    let effects = (fastdp?.confirm(now: now) ?? []) + (sleeve?.confirm(now: now) ?? [])
    return effects + choose()
  }

  /// Takes a special frame of the other end.
  public mutating func receive(_ special: OverlaySpecial, now: MeshInstant) -> [OverlayEffect] {
    guard isConfirmed, !isOver, special.peer == options.remote else { return [] }
    let effects =
      switch special.overlay {
      case .fastdp: fastdp?.receive(special, now: now)
      case .sleeve: sleeve?.receive(special, now: now)
      }
    return (effects ?? []) + choose()
  }

  /// Takes the payload of an overlay control message; what is wrong is counted.
  public mutating func receiveControl(_ payload: [UInt8], now: MeshInstant) -> [OverlayEffect] {
    guard !isOver else { return [] }
    var effects: [OverlayEffect]?
    if payload.count >= 2 {
      switch payload[0] {
      case fastdp?.index: effects = fastdp?.receiveControl(payload.dropFirst(), now: now)
      case sleeve?.index: effects = sleeve?.receiveControl(payload.dropFirst(), now: now)
      default: break
      }
    }
    if effects == nil { badControls += 1 }
    return (effects ?? []) + choose()
  }

  /// A router says that the path to the other end carries so many bytes.
  public mutating func tooLong(pathMTU: Int, now: MeshInstant) -> [OverlayEffect] {
    isOver ? [] : sleeve?.tooLong(pathMTU: pathMTU, now: now) ?? []
  }

  /// The underlay carries IP packets of so many bytes from now on.
  public mutating func underlayChanged(_ mtu: Int, now: MeshInstant) -> [OverlayEffect] {
    guard !isOver else { return [] }
    fastdp?.underlayChanged(mtu)
    return sleeve?.underlayChanged(mtu, now: now) ?? []
  }

  /// Our containers may send IP packets of so many bytes from now on.
  public mutating func overlayChanged(_ mtu: Int) { fastdp?.overlayChanged(mtu) }

  /// A key of an overlay is nearly used up.
  public mutating func keyUsed(_ overlay: OverlayKind, now: MeshInstant) -> [OverlayEffect] {
    guard isConfirmed, !isOver else { return [] }
    let effects =
      switch overlay {
      case .fastdp: fastdp?.renewKey(now: now)
      case .sleeve: sleeve?.renewKey(now: now)
      }
    return effects ?? []
  }

  /// The connection has another key from now on, which keys of frames are derived from.
  public mutating func rebase(
    _ key: SessionKey, generation: UInt8, now: MeshInstant
  ) -> [OverlayEffect] {
    guard isConfirmed, !isOver else { return [] }
    return (fastdp?.rebase(key, generation: generation, now: now) ?? [])
      + (sleeve?.rebase(key, generation: generation, now: now) ?? [])
  }

  /// Time has come.
  public mutating func advance(now: MeshInstant) -> [OverlayEffect] {
    guard isConfirmed, !isOver else { return [] }
    let effects = (fastdp?.advance(now: now) ?? []) + (sleeve?.advance(now: now) ?? [])
    let choice = choose()
    return isOver ? choice : effects + choice
  }
}

// The choice.
extension OverlaySwitch {
  /// Chooses the best overlay that works.
  private mutating func choose() -> [OverlayEffect] {
    let isFastdpWorking = fastdp?.isWorking == true
    let isSleeveWorking = sleeve?.pulse.isWorking == true
    guard let best: OverlayKind = isFastdpWorking ? .fastdp : isSleeveWorking ? .sleeve : nil else {
      return chosen != nil || isHopeless ? fail() : []
    }
    guard best != chosen else { return [] }
    let former = chosen
    reason =
      if best == .fastdp || fastdp == nil {
        "\(best.rawValue) gets through"
      } else { problem(of: .fastdp) }
    chosen = best
    return [.chosen(best, from: former, reason: reason)]
  }

  /// Whether nothing that may work has been heard by any overlay for too long.
  private var isHopeless: Bool {
    let isFastdpHopeless = fastdp.map { $0.refusal != nil || $0.pulse.isSilent } ?? true
    return isFastdpHopeless && sleeve?.pulse.isSilent ?? true
  }

  /// Why an overlay carries nothing, for people.
  private func problem(of kind: OverlayKind) -> String {
    if kind == .fastdp, let refusal = fastdp?.refusal { return refusal }
    let pulse = kind == .fastdp ? fastdp?.pulse : sleeve?.pulse
    return switch pulse?.trouble {
    case .unproven, nil: "\(kind.rawValue) has not got through in both directions yet"
    case .silence(let time):
      "nothing came by \(kind.rawValue) for \(time.components.seconds) s"
    case .unheard: "the peer hears nothing by \(kind.rawValue)"
    }
  }

  private mutating func fail() -> [OverlayEffect] {
    isOver = true
    chosen = nil
    let problems = [
      fastdp == nil ? nil : problem(of: .fastdp), sleeve == nil ? nil : problem(of: .sleeve),
    ].compactMap(\.self)
    let meshPort = options.isOutbound ? options.remoteAddress.port : options.port
    let ports = [sleeve.map { _ in meshPort }, fastdpLink.map { _ in meshPort &+ 1 }]
      .compactMap(\.self).map { String($0) }
    return [
      .failed(
        "\(problems.joined(separator: ", ")): let UDP pass between \(options.remoteAddress.address)"
          + " and \(options.localAddress.address) in both directions,"
          + " \(ports.count == 1 ? "port" : "ports") \(ports.joined(separator: " and "))")
    ]
  }
}
