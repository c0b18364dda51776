// SPDX-License-Identifier: Apache-2.0

package import CLinux
package import Inet

/// A fixed structure that follows a netlink message's header: integers only, any bytes are valid.
package protocol NetlinkHeader {
  /// All fields zero.
  init()
}

extension ifinfomsg: NetlinkHeader {}
extension ifaddrmsg: NetlinkHeader {}
extension rtmsg: NetlinkHeader {}
extension rtgenmsg: NetlinkHeader {}
extension ndmsg: NetlinkHeader {}
extension nlmsgerr: NetlinkHeader {}

/// A request being written.
///
/// libmnl writes headers and attributes into an array of fixed size, and it is told the size, so
/// that it never writes beyond. What no longer fits is left out and noted in `isOverflowing`; the
/// socket refuses to send such a message.
@safe
package struct NetlinkMessage: Sendable {
  /// Room for one request; the kernel's largest ones here are below 1 KiB.
  private static let capacity = 4096

  private var storage: [UInt8]
  /// Whether something did not fit.
  package private(set) var isOverflowing = false

  /// Begins a message of a type (`RTM_…`) with flags (`NLM_F_…`) and the family's own header.
  package init(type: Int, flags: Int32 = 0, header: some NetlinkHeader) {
    storage = [UInt8](repeating: 0, count: Self.capacity)
    withHeader { message in
      unsafe message.pointee.nlmsg_type = UInt16(type)
      unsafe message.pointee.nlmsg_flags = UInt16(flags)
    }
    append(header)
  }

  /// The message's type.
  package var type: UInt16 {
    mutating get { withHeader { unsafe $0.pointee.nlmsg_type } }
  }

  /// The bytes written so far, in the kernel's layout.
  package var bytes: ArraySlice<UInt8> {
    mutating get {
      let length = withHeader { unsafe Int($0.pointee.nlmsg_len) }
      return storage[0..<min(length, storage.count)]
    }
  }

  /// Sets what the socket decides: flags to add and the sequence number.
  package mutating func prepare(flags: Int32, sequence: UInt32) {
    withHeader { message in
      unsafe message.pointee.nlmsg_flags |= UInt16(flags)
      unsafe message.pointee.nlmsg_seq = sequence
    }
  }

  /// Appends a fixed structure, as the payload of an attribute that begins with one.
  package mutating func append(_ header: some NetlinkHeader) {
    unsafe withUnsafeBytes(of: header) { source in
      let room = storage.count
      let fits = withHeader { message in
        let length = unsafe Int(message.pointee.nlmsg_len)
        guard length + source.count + 4 <= room,
          let target = unsafe mnl_nlmsg_put_extra_header(message, source.count),
          let base = source.baseAddress
        else { return false }
        unsafe target.copyMemory(from: base, byteCount: source.count)
        return true
      }
      if !fits { isOverflowing = true }
    }
  }

  /// Appends an attribute of raw bytes.
  package mutating func append(_ type: Int, bytes: [UInt8]) {
    let room = storage.count
    let fits = withHeader { message in
      unsafe bytes.withUnsafeBytes { source in
        unsafe mnl_attr_put_check(message, room, UInt16(type), source.count, source.baseAddress)
      }
    }
    if !fits { isOverflowing = true }
  }

  /// Appends an attribute that holds others.
  package mutating func nest(_ type: Int, _ body: (inout NetlinkMessage) -> Void) {
    let start = bytes.count
    append(type | Int(NLA_F_NESTED), bytes: [])
    body(&self)
    guard !isOverflowing else { return }
    withHeader { message in
      let attribute = unsafe UnsafeMutableRawPointer(message).advanced(by: start)
      unsafe mnl_attr_nest_end(message, attribute.assumingMemoryBound(to: nlattr.self))
    }
  }

  /// Lends the message's header to libmnl; the first call of a message's life writes the length.
  @safe
  private mutating func withHeader<Result>(
    _ body: (UnsafeMutablePointer<nlmsghdr>) -> Result
  ) -> Result {
    unsafe storage.withUnsafeMutableBytes { buffer in
      let header = unsafe buffer.assumingMemoryBound(to: nlmsghdr.self)
      // The array is never empty: its capacity is a constant.
      if unsafe header[0].nlmsg_len == 0 { unsafe header[0].nlmsg_len = 16 }
      guard let base = header.baseAddress else { preconditionFailure("a message has storage") }
      return unsafe body(base)
    }
  }
}

extension NetlinkMessage {
  /// Appends an attribute of 8 bits.
  package mutating func append(_ type: Int, _ value: UInt8) {
    append(type, bytes: [value])
  }

  /// Appends an attribute of 16 bits.
  package mutating func append(_ type: Int, _ value: UInt16) {
    append(type, bytes: octets(value))
  }

  /// Appends an attribute of 32 bits.
  package mutating func append(_ type: Int, _ value: UInt32) {
    append(type, bytes: octets(value))
  }

  /// Appends an attribute of text, terminated as the kernel wants names.
  package mutating func append(_ type: Int, name: String) {
    append(type, bytes: Array(name.utf8) + [0])
  }

  /// Appends an attribute of text without a terminator.
  package mutating func append(_ type: Int, text: String) {
    append(type, bytes: Array(text.utf8))
  }

  /// Appends an address in network order.
  package mutating func append(_ type: Int, _ address: IPv4Address) {
    append(type, bytes: octets(address.bits.bigEndian))
  }

  /// Appends a MAC address.
  package mutating func append(_ type: Int, _ address: MACAddress) {
    append(type, bytes: Array(octets(address.bits.bigEndian).dropFirst(2)))
  }

  private func octets<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) -> [UInt8] {
    unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
  }
}
