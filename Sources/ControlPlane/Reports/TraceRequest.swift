// SPDX-License-Identifier: Apache-2.0

package import Inet

/// The body of `POST /trace`: follow the next frames through the data plane.
package struct TraceRequest: StrictRequest {
  /// How many frames.
  package var count: Int
  /// Only frames that come in at this port: an interface of the host, or a container's namespace.
  package var port: String?
  /// Only frames that a station with this address sends or is to get.
  package var mac: MACAddress?
  /// How long to wait for them; nil for `secondsUsual`.
  package var seconds: Int?

  /// Frames and seconds one request may ask for.
  package static let countRange = 1...1000
  /// Seconds one request may last.
  package static let secondsRange = 1...60
  /// Seconds a request lasts that does not say how long.
  package static let secondsUsual = 10

  /// A request as the user gave it; nothing is checked yet.
  package init(
    count: Int, port: String? = nil, mac: MACAddress? = nil, seconds: Int? = nil
  ) {
    self.count = count
    self.port = port
    self.mac = mac
    self.seconds = seconds
  }

  /// Every JSON key and what it accepts.
  package static let fields = [
    (name: "count", accepted: "a number of frames, 1 to 1000"),
    (
      name: "port",
      accepted: "the interface of a port as in `weft status`, or a container's namespace as in"
        + " `weft ps`"
    ),
    (name: "mac", accepted: "the MAC address of one station like 02:00:00:00:00:0a"),
    (name: "seconds", accepted: "a number of seconds, 1 to 60"),
  ]

  private enum CodingKeys: String, CodingKey {
    case count, port, mac, seconds
  }

  /// Decodes a request; a key that is no field is refused with a `RequestError`.
  package init(from decoder: any Decoder) throws {
    try Self.refuseUnknownFields(decoder)
    let container = try decoder.container(keyedBy: CodingKeys.self)
    guard let count = try container.decodeNumber(Int.self, forKey: .count, of: Self.self) else {
      throw RequestError(
        "the field 'count' is missing", field: "count", accepted: Self.accepted("count"))
    }
    self.count = count
    port = try container.decodeIfPresent(String.self, forKey: .port)
    mac = try container.decodeIfPresent(MACAddress.self, forKey: .mac)
    seconds = try container.decodeNumber(Int.self, forKey: .seconds, of: Self.self)
  }
}

extension TraceRequest {
  /// A trace request in which every value has been checked.
  package struct Validated: Equatable, Sendable {
    /// 1 to 1000.
    package let count: Int
    /// A port's name that may or may not be there, or nil for all.
    package let port: String?
    /// A station's address, or nil for all.
    package let mac: MACAddress?
    /// 1 to 60.
    package let seconds: Int
  }

  /// Checks everything that can be known from the request alone.
  package func validated() throws(RequestError) -> Validated {
    guard Self.countRange.contains(count) else {
      throw RequestError(
        "\(count) frames cannot be traced at once", field: "count",
        accepted: Self.accepted("count"))
    }
    if let port, !(1...ContainerNamespace.pathLengthMax ~= port.utf8.count) {
      throw RequestError("the port has no name", field: "port", accepted: Self.accepted("port"))
    }
    if let mac, !mac.isStation {
      throw RequestError(
        "\(mac) is not one station's address", field: "mac", accepted: Self.accepted("mac"))
    }
    let seconds = seconds ?? Self.secondsUsual
    guard Self.secondsRange.contains(seconds) else {
      throw RequestError(
        "a trace cannot last \(seconds) s", field: "seconds", accepted: Self.accepted("seconds"))
    }
    return Validated(count: count, port: port, mac: mac, seconds: seconds)
  }
}
