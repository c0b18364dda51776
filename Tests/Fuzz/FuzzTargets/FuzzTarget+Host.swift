// SPDX-License-Identifier: Apache-2.0

import CLinux
import HostNetwork
import Inet

extension FuzzTarget {
  static func netlink(_ bytes: [UInt8]) throws {
    let expected = PlainNetlink.messages(bytes)
    guard let replies = try? NetlinkReply.parse(bytes, call: "fuzz") else {
      return try hold(expected == nil, "\(bytes.count) bytes are whole messages")
    }
    let found = replies.map {
      PlainNetlink.Message(
        type: $0.type, flags: $0.flags, sequence: $0.sequence, payload: Array($0.payload))
    }
    try hold(found == expected, "messages as the framing has them")
    for reply in replies {
      try read(reply)
      try attributes(of: reply)
    }
  }

  private static func read(_ reply: NetlinkReply) throws {
    let answer = try? NetlinkAnswer(reply, call: "fuzz", subject: "fuzz")
    let isControl = reply.type < 16
    try hold(isControl || answer == .value, "messages of a protocol are values")
    guard let event = try? NetworkEvent(reply) else { return }
    switch event {
    case .linkChanged(let link):
      try hold(link.index.rawValue > 0 && !link.name.isEmpty, "\(link)")
    case .linkRemoved(let index, let name):
      try hold(index.rawValue > 0 && !name.isEmpty, "\(name)")
    case .addressChanged(let address, _):
      try hold(address.prefix.length <= 32, "\(address)")
    case .routeChanged(let route, _):
      try hold(route.destination.length <= 32, "\(route)")
    case .neighbourChanged, .overflow: break
    }
  }

  private static func attributes(of reply: NetlinkReply) throws {
    let rest = Array(reply.payload.dropFirst(16))
    let expected = PlainNetlink.attributes(rest)
    let found = try? reply.attributes(after: ifinfomsg.self, call: "fuzz")
    try hold(found.map { $0.map { Array($0.payload) } } == expected, "attributes as framed")
    for attribute in found ?? [] {
      try hold(attribute.text.utf8.count <= 3 * attribute.payload.count, "text is bounded")
      try hold((attribute.uint32 != nil) == (attribute.payload.count == 4), "32 bits")
      try hold((attribute.mac != nil) == (attribute.payload.count == 6), "48 bits")
      let nested = try? attribute.nested(call: "fuzz")
      let plain = PlainNetlink.attributes(Array(attribute.payload))
      try hold(nested.map { $0.map { Array($0.payload) } } == plain, "nested as framed")
    }
  }

  static func attachment(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    if let record = try? AttachmentRecord(decoding: text) {
      try hold((try? record.encoded()) == text, "one spelling: \(text)")
      let isAbsolute = record.namespacePath.utf8.first == UInt8(ascii: "/")
      try hold(record.mac.isStation && isAbsolute, "\(record)")
    }
    // The other way round: any path comes back as it was.
    let original = AttachmentRecord(
      containerInterface: "ethwe", mac: MACAddress(bits: 0x0200_0000_000A), addresses: [],
      namespaceInode: UInt64(bytes.count), namespacePath: "/" + text)
    guard let alias = try? original.encoded() else { return }
    try hold(alias.utf8.count <= AttachmentRecord.lengthMax, "\(alias)")
    let decoded = try? AttachmentRecord(decoding: alias)
    let path = decoded?.namespacePath.utf8
    try hold(path?.elementsEqual(("/" + text).utf8) == true, "\(alias)")
    try hold(decoded == original, "\(alias)")
  }
}

/// The framing of netlink (RFC 3549, section 2.2), little-endian.
private enum PlainNetlink {
  struct Message: Equatable {
    let type: UInt16
    let flags: UInt16
    let sequence: UInt32
    let payload: [UInt8]
  }

  /// The messages, or nil if anything is left over.
  static func messages(_ bytes: [UInt8]) -> [Message]? {
    var messages: [Message] = []
    var rest = bytes
    while !rest.isEmpty {
      guard rest.count >= 16 else { return nil }
      let length = number(rest, 0, 4)
      guard length >= 16, length <= rest.count else { return nil }
      messages.append(
        Message(
          type: UInt16(number(rest, 4, 2)), flags: UInt16(number(rest, 6, 2)),
          sequence: UInt32(number(rest, 8, 4)), payload: Array(rest[16..<length])))
      rest = Array(rest.dropFirst((length + 3) / 4 * 4))
    }
    return messages
  }

  /// What the attributes hold, or nil if four or more bytes are left over.
  static func attributes(_ bytes: [UInt8]) -> [[UInt8]]? {
    var attributes: [[UInt8]] = []
    var rest = bytes
    while rest.count >= 4 {
      let length = number(rest, 0, 2)
      guard length >= 4, length <= rest.count else { return nil }
      attributes.append(Array(rest[4..<length]))
      rest = Array(rest.dropFirst((length + 3) / 4 * 4))
    }
    return attributes
  }

  private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
    bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | Int($1) }
  }
}
