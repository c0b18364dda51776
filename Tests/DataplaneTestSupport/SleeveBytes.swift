// SPDX-License-Identifier: Apache-2.0

package import Inet
import Sealing
import TestSupport

// Datagrams of sleeve byte by byte, with nothing of the product's code but the box itself.

/// A record: whose frame, for whom, and the frame.
package func sleeveRecord(
  from source: PeerName, to destination: PeerName, _ frame: [UInt8]
) -> [UInt8] {
  octets(source.bits, 6) + octets(destination.bits, 6) + octets(UInt16(frame.count)) + frame
}

/// A record between two of `MemorySwitch.peerNames`.
package func sleeveRecord(from source: Int, to destination: Int, _ frame: [UInt8]) -> [UInt8] {
  sleeveRecord(
    from: MemorySwitch.peerNames[source], to: MemorySwitch.peerNames[destination], frame)
}

/// A datagram that is not sealed.
package func sleeveDatagram(from sender: PeerName, _ records: [[UInt8]]) -> [UInt8] {
  octets(sender.bits, 6) + records.joined()
}

/// A sealed datagram.
///
/// `isOutbound` says whether its sender dialled the connection.
package func sealedDatagram(
  from sender: PeerName, _ records: [[UInt8]], key: [UInt8], number: UInt64,
  isFragmentable: Bool = false, isOutbound: Bool
) -> [UInt8] {
  let sequence = octets(number | (isFragmentable ? 0 : 1 << 63), 8)
  guard let key = SessionKey(bytes: key) else { return [] }
  let box = SecretBox.seal(
    Array(records.joined()), nonce: nonce(sequence, isOutbound: isOutbound), key: key)
  return octets(sender.bits, 6) + sequence + box
}

/// What is in a sealed datagram: its number as it travels and its records; nil if it does not open.
package func openedDatagram(
  _ datagram: [UInt8], key: [UInt8], isOutbound: Bool
) -> (sequence: UInt64, records: [UInt8])? {
  guard datagram.count >= 30, let key = SessionKey(bytes: key) else { return nil }
  let sequence = Array(datagram[6..<14])
  let records = SecretBox.open(
    Array(datagram[14...]), nonce: nonce(sequence, isOutbound: isOutbound), key: key)
  guard let records else { return nil }
  return (sequence.reduce(0) { $0 << 8 | UInt64($1) }, records)
}

private func nonce(_ sequence: [UInt8], isOutbound: Bool) -> [UInt8] {
  [isOutbound ? 0x80 : 0] + [UInt8](repeating: 0, count: 15) + sequence
}

/// Takes records apart; nil if something is left over.
package func splitRecords(
  _ bytes: [UInt8]
) -> [(source: PeerName, destination: PeerName, frame: [UInt8])]? {
  var rest = bytes[...]
  var records: [(source: PeerName, destination: PeerName, frame: [UInt8])] = []
  while !rest.isEmpty {
    guard rest.count >= 14, let source = PeerName(octets: rest.prefix(6)),
      let destination = PeerName(octets: rest.dropFirst(6).prefix(6))
    else { return nil }
    let length = rest.dropFirst(12).prefix(2).reduce(0) { $0 << 8 | Int($1) }
    rest = rest.dropFirst(14)
    guard rest.count >= length else { return nil }
    records.append((source, destination, Array(rest.prefix(length))))
    rest = rest.dropFirst(length)
  }
  return records
}

/// The outer frame that carries a datagram from a neighbour to us.
package func sleeveOuter(
  fromPeer peer: Int, _ payload: [UInt8], sourcePort: UInt16 = MemorySwitch.sleevePort
) -> [UInt8] {
  FrameBuilder(
    sourceMAC: peerMAC(peer), destinationMAC: MemorySwitch.ownMAC,
    source: peerAddress(peer), destination: MemorySwitch.ownAddress
  ).udp(
    sourcePort: sourcePort, destinationPort: MemorySwitch.sleevePort, payload: payload)
}

/// The outer frame that we shall send to a neighbour: with don't-fragment, without UDP checksum.
package func sleeveOuter(toPeer peer: Int, _ payload: [UInt8]) -> [UInt8] {
  var builder = FrameBuilder(
    sourceMAC: MemorySwitch.ownMAC, destinationMAC: peerMAC(peer),
    source: MemorySwitch.ownAddress, destination: peerAddress(peer))
  builder.dontFragment = true
  let ports = octets(MemorySwitch.sleevePort) + octets(MemorySwitch.sleevePort)
  let header = ports + octets(UInt16(8 + payload.count)) + [0, 0]
  return builder.ipv4(protocolNumber: 17, payload: header + payload)
}

/// A frame of `length` bytes between the ends of a sleeve, all of them zero.
package func zeroFrame(_ length: Int) -> [UInt8] { [UInt8](repeating: 0, count: length) }

/// The heartbeat of a sleeve.
package func sleeveHeartbeat(_ connectionUID: UInt64) -> [UInt8] {
  zeroFrame(14) + octets(connectionUID, 8)
}

/// A heartbeat of VXLAN, `length` bytes long, that says it has `announced` bytes.
package func vxlanHeartbeat(
  _ connectionUID: UInt64, length: Int, announced: UInt16? = nil
) -> [UInt8] {
  let beginning = sleeveHeartbeat(connectionUID) + octets(announced ?? UInt16(length))
  return beginning + zeroFrame(max(0, length - beginning.count))
}
