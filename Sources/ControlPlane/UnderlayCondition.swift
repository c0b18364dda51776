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
  /// Containers have `overlayMTU`.
  func problems(addresses: [IPv4Prefix], overlayMTU: Int) -> [String] {
    var problems: [String] = []
    if !isUp {
      problems.append("\(name) is down; set it up: ip link set dev \(name) up")
    } else if !hasCarrier {
      problems.append("\(name) has no carrier; look at its cable or at its other end")
    }
    if addresses.isEmpty {
      problems.append("\(name) has no IPv4 address; add one, endpoints reach us by it")
    }
    let room = max(0, mtu - UnderlayCondition.outerLength)
    if room < overlayMTU {
      problems.append(
        "\(name)'s MTU of \(mtu) leaves \(room) bytes for containers, which have \(overlayMTU):"
          + " longer frames are dropped; set it to \(overlayMTU + UnderlayCondition.outerLength),"
          + " or set overlay.mtu to \(room), start weftd again and attach containers anew")
    }
    return problems
  }

  /// The MTU that containers get, never negative: as `wanted`, as far as an underlay's `mtu` and
  /// the longest frame leave room for it.
  static func overlayMTU(wanted: Int?, mtu: Int, frameLengthMax: Int) -> Int {
    let room = min(mtu, frameLengthMax - 18) - outerLength
    return max(0, min(wanted ?? room, room))
  }

  /// Bytes that VXLAN over IPv4 adds to a container's packet.
  static let outerLength = 50
}
