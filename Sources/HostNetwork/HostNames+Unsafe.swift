// SPDX-License-Identifier: Apache-2.0

internal import Glibc
package import Inet

/// Asks the host's resolver for addresses.
package enum HostNames {
  /// The IPv4 addresses of a name, in the resolver's order; none if it has none.
  ///
  /// Blocks for as long as the resolver needs.
  package static func addresses(of name: String) -> [IPv4Address] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_INET
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(name, nil, &hints, &found) == 0 else { return [] }
    defer { unsafe freeaddrinfo(found) }
    var addresses: [IPv4Address] = []
    var entry = unsafe found
    while let current = unsafe entry {
      if let address = unsafe current.pointee.ai_addr,
        unsafe current.pointee.ai_addrlen >= UInt32(MemoryLayout<sockaddr_in>.size)
      {
        let bits = unsafe UnsafeRawPointer(address).loadUnaligned(as: sockaddr_in.self)
          .sin_addr.s_addr
        addresses.append(IPv4Address(bits: UInt32(bigEndian: bits)))
      }
      unsafe entry = current.pointee.ai_next
    }
    return addresses
  }
}
