// SPDX-License-Identifier: Apache-2.0

internal import Forwarding

/// Datagrams of sleeve that were opened, until their records are taken out.
///
/// What a batch held of them is kept here, because the frames in them use the batch anew.
struct OpenedDatagrams: ~Copyable {
  /// Datagrams at most: as many as a batch has.
  static var capacity: Int { 64 }

  private(set) var count = 0
  private var frames = [64 of Frame](repeating: Frame(address: 0, length: 0))
  private var links = [64 of UInt16](repeating: 0)
  private var sources = [64 of UInt64](repeating: 0)

  /// One of them: `records` is what is in it after the sender's name, in the clear.
  struct Datagram: BitwiseCopyable {
    let records: Frame
    /// The link that it came over.
    let link: EndpointIndex
    let source: OuterSource
  }

  /// Keeps another one.
  mutating func append(_ datagram: Datagram) {
    frames[count] = datagram.records
    links[count] = datagram.link.number
    sources[count] = datagram.source.bits
    count &+= 1
  }

  subscript(place: Int) -> Datagram {
    Datagram(
      records: frames[place], link: EndpointIndex(links[place]),
      source: OuterSource(bits: sources[place]))
  }

  /// Forgets all of them.
  mutating func removeAll() { count = 0 }
}
