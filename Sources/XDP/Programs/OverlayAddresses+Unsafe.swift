// SPDX-License-Identifier: Apache-2.0

internal import CPrograms
internal import CXDP
internal import Glibc
internal import Inet

// Unsafe here: pointers to local keys and values that C reads or fills in during the call and does
// not keep.

extension XDPProgram {
  /// Overlay addresses that a program has room for.
  public static var overlayAddressCapacity: Int { Int(CPROGRAMS_OVERLAY_ADDRESS_COUNT) }

  /// Makes exactly these the addresses at which this program of kind `.underlay` takes traffic.
  ///
  /// An address that stays is in force without interruption. Addresses that are no longer wanted
  /// go first, so that a full map can be exchanged; traffic for them goes to the host from then on.
  public borrowing func setOverlayAddresses(
    _ addresses: [OverlayAddress]
  ) throws(ProgramError) {
    precondition(kind == .underlay, "only the underlay has overlay addresses")
    let wanted = Set(addresses)
    guard wanted.count <= XDPProgram.overlayAddressCapacity else {
      throw .tooManyOverlayAddresses(
        count: wanted.count, capacity: XDPProgram.overlayAddressCapacity)
    }
    let present = try overlayAddresses()
    for address in present.subtracting(wanted) { try remove(address) }
    for address in wanted.subtracting(present) { try insert(address) }
  }

  /// The addresses at which this program of kind `.underlay` takes traffic, read from the kernel.
  public borrowing func overlayAddresses() throws(ProgramError) -> Set<OverlayAddress> {
    precondition(kind == .underlay, "only the underlay has overlay addresses")
    var found: Set<OverlayAddress> = []
    var key = cprograms_overlay_address()
    var result = unsafe cxdp_next_key(mapDescriptor, nil, &key)
    // Bounded, as the walk begins anew if somebody else takes the last key away meanwhile.
    var steps = 0
    while result >= 0, steps < 2 * XDPProgram.overlayAddressCapacity {
      found.insert(OverlayAddress(key))
      var next = cprograms_overlay_address()
      result = unsafe cxdp_next_key(mapDescriptor, &key, &next)
      key = next
      steps += 1
    }
    guard result >= 0 || result == -ENOENT else {
      throw mapFailure("listing", "overlay_addresses", result)
    }
    return found
  }

  private borrowing func insert(_ address: OverlayAddress) throws(ProgramError) {
    var key = cprograms_overlay_address(address)
    var value = UInt32(CPROGRAMS_OVERLAY_UDP)
    let result = unsafe cxdp_set_entry(mapDescriptor, &key, &value)
    guard result >= 0 else { throw mapFailure("adding \(address)", "overlay_addresses", result) }
  }

  private borrowing func remove(_ address: OverlayAddress) throws(ProgramError) {
    var key = cprograms_overlay_address(address)
    let result = unsafe cxdp_remove_entry(mapDescriptor, &key)
    guard result >= 0 || result == -ENOENT else {
      throw mapFailure("removing \(address)", "overlay_addresses", result)
    }
  }
}

extension OverlayAddress {
  /// Reads a key of the map, which is in network byte order.
  fileprivate init(_ key: cprograms_overlay_address) {
    self.init(
      address: IPv4Address(bits: UInt32(bigEndian: key.address)),
      port: UInt16(bigEndian: key.port))
  }
}

extension cprograms_overlay_address {
  /// A key of the map, in network byte order.
  fileprivate init(_ address: OverlayAddress) {
    self.init(
      address: address.address.bits.bigEndian, port: address.port.bigEndian, zero: 0)
  }
}
