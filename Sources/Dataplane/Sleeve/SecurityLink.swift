// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Tables
internal import Wire

/// The link that packets of ESP with one SPI come over, so that it is looked up once for packets in
/// a row.
struct SecurityLink: BitwiseCopyable {
  private let identifier: UInt64
  private let keys: LinkKeys
  private let address: IPv4Address
  private let isResolved: Bool
  /// Why nothing with this SPI is taken, if so.
  private let refusal: DropReason?

  /// The link of no SPI.
  init() { self.init(identifier: .max, refusal: .securityUnknown) }

  /// There is no link, so nothing is taken.
  private init(identifier: UInt64, refusal: DropReason) {
    self.identifier = identifier
    keys = LinkKeys()
    address = IPv4Address(bits: 0)
    isResolved = false
    self.refusal = refusal
  }

  private init(identifier: UInt64, _ record: EndpointRecord) {
    self.identifier = identifier
    keys = LinkKeys(record)
    address = record.template.destination
    isResolved = record.isResolved
    refusal = record.isReceiving ? nil : .endpointUnknown
  }

  /// Whether it is the one of an SPI.
  @inline(__always)
  func isLink(of identifier: UInt32) -> Bool { self.identifier == UInt64(identifier) }

  /// Looks up the one of an SPI.
  @inline(never)
  static func find(_ identifier: UInt32, _ snapshot: ForwardingSnapshot) -> SecurityLink {
    let endpoints = snapshot.endpoints
    guard let link = snapshot.link(ofSecurity: identifier), Int(link.number) < endpoints.count
    else { return SecurityLink(identifier: UInt64(identifier), refusal: .securityUnknown) }
    return SecurityLink(identifier: UInt64(identifier), endpoints[Int(link.number)])
  }

  /// What opens a packet that came from `source`, or why it is not opened.
  ///
  /// As long as the link is not resolved, its address is not known either.
  @inline(__always)
  func keys(from source: IPv4Address) -> (keys: LinkKeys, refusal: DropReason?) {
    let isOther = isResolved && address != source
    return (keys, refusal ?? (isOther ? .endpointUnknown : nil))
  }
}
