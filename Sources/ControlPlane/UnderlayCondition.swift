// SPDX-License-Identifier: Apache-2.0

internal import Inet

/// What is to be known of the underlay's interface to tell whether it still is the one in use, and
/// what is wrong with it.
struct UnderlayCondition: Equatable {
  let name: String
  var index: Int32
  var mtu: Int
  /// The kernel's number of its XDP program.
  var program: UInt32?
  /// Queues its frames arrive on; nil if nobody knows.
  var queueCount: Int?
  var isUp = true
  var hasCarrier = true

  /// Why a port that was opened on this interface has to be closed, seeing what is there `now`; nil
  /// if it can stay.
  func interruption(by now: UnderlayCondition?) -> String? {
    guard let now else { return "interface \(name) is gone" }
    guard now.index == index else { return "another interface is named \(name) now" }
    guard now.mtu == mtu else { return "the MTU of \(name) changed from \(mtu) to \(now.mtu)" }
    guard now.program == program else {
      return "the XDP program of \(name) was \(now.program == nil ? "taken off" : "replaced")"
    }
    if let before = queueCount, let count = now.queueCount, count != before {
      return "the number of queues of \(name) changed from \(before) to \(count)"
    }
    return nil
  }

  /// What keeps traffic from passing, and what to do about it; a sentence each.
  ///
  /// Containers have at most `overlayMTU`, and what they send is sealed if `isSealed`.
  func problems(addresses: [IPv4Prefix], overlayMTU: Int, isSealed: Bool = false) -> [String] {
    var problems: [String] = []
    if !isUp {
      problems.append("\(name) is down; set it up: ip link set dev \(name) up")
    } else if !hasCarrier {
      problems.append("\(name) has no carrier; look at its cable or at its other end")
    }
    if addresses.isEmpty {
      problems.append("\(name) has no IPv4 address; add one, endpoints reach us by it")
    }
    let room = UnderlayCondition.room(in: mtu, isSealed: isSealed)
    if room < overlayMTU {
      let enough = overlayMTU + UnderlayCondition.outerLength(isSealed: isSealed)
      problems.append(
        "\(name)'s MTU of \(mtu) leaves \(room) bytes for containers, which have \(overlayMTU):"
          + " longer frames travel in pieces or not at all; set it to \(enough),"
          + " or set overlay.mtu to \(room), reload weftd and attach containers anew")
    }
    return problems
  }

  /// The MTU that containers get, never negative: as `wanted`, as far as the longest frame leaves
  /// room for it, or else what VXLAN, or VXLAN in ESP, leaves of the underlay's `mtu`, the usual
  /// one if that is nil.
  ///
  /// More than VXLAN leaves is for whom it helps that large packets travel in several pieces.
  static func overlayMTU(
    wanted: Int?, mtu: Int?, frameLengthMax: Int, isSealed: Bool = false
  ) -> Int {
    if let wanted { return max(0, min(wanted, frameLengthMax - headerLength)) }
    return room(
      in: min(mtu ?? usualMTU, frameLengthMax - headerLength - tagLength), isSealed: isSealed)
  }

  /// What is left of an underlay's MTU for a container's packet, never negative.
  private static func room(in mtu: Int, isSealed: Bool) -> Int {
    guard isSealed else { return max(0, mtu - outerLength) }
    let byVXLAN = ControlPlane.sealedFrameLengthMax(mtu: mtu) - headerLength
    return max(0, min(byVXLAN, mtu - sealedSleeveLength))
  }

  /// Bytes that the outer headers take at most.
  private static func outerLength(isSealed: Bool) -> Int { isSealed ? 87 : outerLength }

  /// Bytes that sealed sleeve adds to a container's packet.
  private static let sealedSleeveLength = 86

  /// The MTU of an interface that nobody has changed.
  static let usualMTU = 1500

  /// Bytes of an Ethernet header, and of the VLAN tag that a container may put into it.
  static let headerLength = 14
  static let tagLength = 4

  /// Bytes that VXLAN over IPv4 adds to a container's packet.
  static let outerLength = 50
}
