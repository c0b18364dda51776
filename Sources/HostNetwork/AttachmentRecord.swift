// SPDX-License-Identifier: Apache-2.0

internal import CLinux
package import Inet

/// What is to be known of an attached container after a restart, kept by the kernel.
///
/// It is the alias of the host's end of the pair, so it lives exactly as long as the attachment:
///
///     weft1 if=ethwe mac=02:00:00:00:00:0a ns=4026532345 ip=10.32.0.1/12 path=/run/netns/c1
///
/// Fields are separated by single spaces and come in this order; addresses are joined by commas and
/// may be none; in the name and the path, control characters, spaces, '%' and what is not ASCII
/// are written as `%` and two hexadecimal digits. An alias has one spelling: what would be written
/// otherwise is not read.
package struct AttachmentRecord: Hashable, Sendable {
  /// Why an alias is not a record.
  package enum DecodingError: Error, Hashable, Sendable {
    /// It is somebody else's text.
    case foreign
    /// It is a record of another version of this program.
    case unknownVersion(String)
    /// It begins as a record does and is none.
    case damaged(reason: String)
  }

  /// The longest alias the kernel keeps, in bytes.
  package static let lengthMax = Int(CLINUX_ALIAS_LENGTH_MAX)

  private static let family = "weft"
  private static let version = "1"

  /// The interface's name inside of the container.
  package internal(set) var containerInterface: String
  /// Its hardware address.
  package let mac: MACAddress
  /// Its addresses, in the order they were given.
  package var addresses: [IPv4Prefix]
  /// The inode of the container's network namespace.
  package let namespaceInode: UInt64
  /// The path the namespace was opened by.
  package let namespacePath: String

  /// Describes an attachment.
  package init(
    containerInterface: String, mac: MACAddress, addresses: [IPv4Prefix], namespaceInode: UInt64,
    namespacePath: String
  ) {
    self.containerInterface = containerInterface
    self.mac = mac
    self.addresses = addresses
    self.namespaceInode = namespaceInode
    self.namespacePath = namespacePath
  }

  /// The alias, which is ASCII; throws if the kernel could not keep it.
  package func encoded() throws(HostNetworkError) -> String {
    let text = spelling
    guard text.utf8.count <= Self.lengthMax else {
      throw .aliasTooLong(length: text.utf8.count, limit: Self.lengthMax)
    }
    return text
  }

  /// Reads an alias.
  package init(decoding alias: String) throws(DecodingError) {
    guard alias.hasPrefix(Self.family) else { throw .foreign }
    guard alias.utf8.count <= Self.lengthMax else { throw .damaged(reason: "too long") }
    let words = alias.split(separator: " ", omittingEmptySubsequences: false)
    let version = words[0].dropFirst(Self.family.count)
    guard let first = version.utf8.first, 48...57 ~= first else { throw .foreign }
    guard version == Self.version else { throw .unknownVersion(String(version)) }
    guard words.count == 6 else { throw .damaged(reason: "\(words.count) fields") }
    containerInterface = try unescaped(try field(words[1], "if"), "if")
    mac = try value(words[2], "mac") { MACAddress($0) }
    namespaceInode = try value(words[3], "ns") { UInt64($0) }
    addresses = try Self.addresses(try field(words[4], "ip"))
    namespacePath = try unescaped(try field(words[5], "path"), "path")
    try check(against: alias)
  }

  private var spelling: String {
    let addresses = addresses.map(\.description).joined(separator: ",")
    return "\(Self.family)\(Self.version) if=\(escaped(containerInterface)) mac=\(mac) "
      + "ns=\(namespaceInode) ip=\(addresses) path=\(escaped(namespacePath))"
  }

  private func check(against alias: String) throws(DecodingError) {
    do {
      try checkInterfaceName(containerInterface)
    } catch {
      throw .damaged(reason: "if")
    }
    guard mac.isStation else { throw .damaged(reason: "mac") }
    // As bytes: a slash and a combining mark after it are one character to `hasPrefix`.
    guard namespacePath.utf8.first == UInt8(ascii: "/") else { throw .damaged(reason: "path") }
    guard alias.utf8.elementsEqual(spelling.utf8) else { throw .damaged(reason: "spelling") }
  }

  private static func addresses(_ text: Substring) throws(DecodingError) -> [IPv4Prefix] {
    guard !text.isEmpty else { return [] }
    var addresses: [IPv4Prefix] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let prefix = IPv4Prefix(String(word)), (try? checkInterfaceAddress(prefix)) != nil
      else { throw .damaged(reason: "ip") }
      addresses.append(prefix)
    }
    return addresses
  }
}

/// The text behind `name=`.
private func field(
  _ word: Substring, _ name: String
) throws(AttachmentRecord.DecodingError) -> Substring {
  guard word.hasPrefix(name + "=") else { throw .damaged(reason: name) }
  return word.dropFirst(name.count + 1)
}

private func value<Value>(
  _ word: Substring, _ name: String, _ read: (String) -> Value?
) throws(AttachmentRecord.DecodingError) -> Value {
  guard let value = read(String(try field(word, name))) else { throw .damaged(reason: name) }
  return value
}

private let hexadecimal = Array("0123456789ABCDEF".utf8)

private func escaped(_ text: String) -> String {
  var bytes: [UInt8] = []
  for byte in text.utf8 {
    if 0x21...0x7E ~= byte, byte != UInt8(ascii: "%") {
      bytes.append(byte)
    } else {
      bytes += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

private func unescaped(
  _ text: Substring, _ name: String
) throws(AttachmentRecord.DecodingError) -> String {
  var bytes: [UInt8] = []
  var rest = text.utf8[...]
  while let byte = rest.popFirst() {
    if byte == UInt8(ascii: "%") {
      guard let high = rest.popFirst().flatMap(hexadecimal.firstIndex(of:)),
        let low = rest.popFirst().flatMap(hexadecimal.firstIndex(of:))
      else { throw .damaged(reason: name) }
      bytes.append(UInt8(high << 4 | low))
    } else {
      bytes.append(byte)
    }
  }
  guard let result = String(validating: bytes, as: UTF8.self) else {
    throw .damaged(reason: name)
  }
  return result
}
