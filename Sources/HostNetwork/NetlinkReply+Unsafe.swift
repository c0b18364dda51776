// SPDX-License-Identifier: Apache-2.0

internal import CLinux
package import Inet

/// One message of a datagram from the kernel.
///
/// Nothing in a datagram is trusted: lengths are checked by libmnl and by the shims around it, a
/// read outside of a payload gives nil, and the bytes are a copy that nobody changes.
@safe
package struct NetlinkReply: Sendable {
  /// What the message is: `RTM_…` or `NLMSG_…`.
  package let type: UInt16
  /// `NLM_F_…`.
  package let flags: UInt16
  /// The number of the request this answers.
  package let sequence: UInt32
  /// The rest of the message.
  package let payload: ArraySlice<UInt8>

  /// Cuts a datagram into its messages; leftover bytes are an error.
  package static func parse(
    _ datagram: [UInt8], call: String
  ) throws(HostNetworkError) -> [NetlinkReply] {
    var replies: [NetlinkReply] = []
    var offset = 0
    var found = clinux_netlink_message()
    while offset < datagram.count {
      let isWhole = unsafe datagram.withUnsafeBytes { buffer in
        unsafe clinux_netlink_message_at(buffer.baseAddress, buffer.count, offset, &found)
      }
      guard isWhole, let payload = cut(datagram[...], found.payload_offset, found.payload_length)
      else { throw .malformedReply(call: call, reason: "no whole message at byte \(offset)") }
      replies.append(
        NetlinkReply(
          type: found.type, flags: found.flags, sequence: found.sequence, payload: payload))
      offset = found.next_offset
    }
    return replies
  }

  /// The fixed structure the payload begins with, or nil if the payload is shorter.
  package func header<Header: NetlinkHeader>(_: Header.Type) -> Header? {
    guard payload.count >= MemoryLayout<Header>.size else { return nil }
    var header = Header()
    unsafe payload.withUnsafeBytes { source in
      unsafe withUnsafeMutableBytes(of: &header) { target in
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<target.count]))
      }
    }
    return header
  }

  /// The attributes behind the fixed structure.
  package func attributes<Header: NetlinkHeader>(
    after _: Header.Type, call: String
  ) throws(HostNetworkError) -> [NetlinkAttribute] {
    // Headers are padded to four bytes, as everything in netlink is.
    let start = (MemoryLayout<Header>.size + 3) & ~3
    return try NetlinkAttribute.parse(payload.dropFirst(start), call: call)
  }
}

/// One attribute: a type and bytes whose meaning the type decides.
@safe
package struct NetlinkAttribute: Sendable {
  /// The type without its flags for nesting and byte order.
  package let type: Int
  /// The bytes.
  package let payload: ArraySlice<UInt8>

  /// Cuts bytes into attributes; fewer than four leftover bytes are padding, more are an error.
  package static func parse(
    _ bytes: ArraySlice<UInt8>, call: String
  ) throws(HostNetworkError) -> [NetlinkAttribute] {
    var attributes: [NetlinkAttribute] = []
    var offset = 0
    var found = clinux_netlink_attribute()
    while bytes.count - offset >= 4 {
      let isWhole = unsafe bytes.withUnsafeBytes { buffer in
        unsafe clinux_netlink_attribute_at(buffer.baseAddress, buffer.count, offset, &found)
      }
      guard isWhole, let payload = cut(bytes, found.payload_offset, found.payload_length)
      else { throw .malformedReply(call: call, reason: "no whole attribute at byte \(offset)") }
      attributes.append(NetlinkAttribute(type: Int(found.type), payload: payload))
      offset = found.next_offset
    }
    return attributes
  }

  /// The attributes inside this one.
  package func nested(call: String) throws(HostNetworkError) -> [NetlinkAttribute] {
    try Self.parse(payload, call: call)
  }

  /// The value if it is exactly 8 bits wide.
  package var uint8: UInt8? { payload.count == 1 ? payload.first : nil }

  /// The value if it is exactly 32 bits wide, in the machine's order.
  package var uint32: UInt32? {
    guard payload.count == 4 else { return nil }
    return unsafe payload.withUnsafeBytes { unsafe $0.loadUnaligned(as: UInt32.self) }
  }

  /// The value if it is exactly 32 bits wide, as a signed number.
  package var int32: Int32? { uint32.map { Int32(bitPattern: $0) } }

  /// The value as an index, which is positive.
  package var interfaceIndex: InterfaceIndex? {
    int32.flatMap { $0 > 0 ? InterfaceIndex(rawValue: $0) : nil }
  }

  /// The value if it has the size of an IPv4 address.
  package var address: IPv4Address? { uint32.map { IPv4Address(bits: UInt32(bigEndian: $0)) } }

  /// The value if it has the size of a MAC address.
  package var mac: MACAddress? {
    guard payload.count == 6 else { return nil }
    return MACAddress(bits: payload.reduce(0) { $0 << 8 | UInt64($1) })
  }

  /// The bytes up to the terminator as text, with what is not UTF-8 replaced.
  package var text: String {
    String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// The part of `bytes` at an offset from its start, or nil if it is not wholly inside.
private func cut(_ bytes: ArraySlice<UInt8>, _ offset: Int, _ length: Int) -> ArraySlice<UInt8>? {
  guard offset >= 0, length >= 0, length <= bytes.count, offset <= bytes.count - length
  else { return nil }
  let start = bytes.startIndex + offset
  return bytes[start..<start + length]
}
