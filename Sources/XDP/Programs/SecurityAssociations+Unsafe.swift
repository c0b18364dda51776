// SPDX-License-Identifier: Apache-2.0

internal import CPrograms
internal import CXDP
internal import Glibc
internal import Inet

// Unsafe here: pointers to local keys and values that C reads or fills in during the call and does
// not keep.

extension XDPProgram {
  /// Security associations that a program has room for.
  public static var securityAssociationCapacity: Int {
    Int(CPROGRAMS_SECURITY_ASSOCIATION_COUNT)
  }

  /// Makes exactly these the associations whose ESP packets this program of kind `.underlay` takes.
  ///
  /// An association that stays is in force without interruption. New ones come before others go, so
  /// that a key is replaced without a gap; only if there is no room for both do as many go first as
  /// have to. Packets of an association that is gone are the host's from then on.
  public borrowing func setSecurityAssociations(
    _ wanted: Set<SecurityAssociation>
  ) throws(ProgramError) {
    precondition(kind == .underlay, "only the underlay has security associations")
    let capacity = XDPProgram.securityAssociationCapacity
    guard wanted.count <= capacity else {
      throw .tooManySecurityAssociations(count: wanted.count, capacity: capacity)
    }
    let present = try securityAssociations()
    let added = wanted.subtracting(present)
    let removed = Array(present.subtracting(wanted))
    let early = max(0, present.count + added.count - capacity)
    for association in removed.prefix(early) { try remove(association) }
    for association in added { try insert(association) }
    for association in removed.dropFirst(early) { try remove(association) }
  }

  /// The associations whose ESP packets this program of kind `.underlay` takes, read from the
  /// kernel.
  public borrowing func securityAssociations() throws(ProgramError) -> Set<SecurityAssociation> {
    precondition(kind == .underlay, "only the underlay has security associations")
    var found: Set<SecurityAssociation> = []
    var key = cprograms_security_association()
    var result = unsafe cxdp_next_key(securityDescriptor, nil, &key)
    // Bounded, as the walk begins anew if somebody else takes the last key away meanwhile.
    var steps = 0
    while result >= 0, steps < 2 * XDPProgram.securityAssociationCapacity {
      found.insert(SecurityAssociation(key))
      var next = cprograms_security_association()
      result = unsafe cxdp_next_key(securityDescriptor, &key, &next)
      key = next
      steps += 1
    }
    guard result >= 0 || result == -ENOENT else {
      throw mapFailure("listing", XDPProgram.securityMapName, result)
    }
    return found
  }

  private borrowing func insert(_ association: SecurityAssociation) throws(ProgramError) {
    var key = cprograms_security_association(association)
    var value = UInt32(CPROGRAMS_SECURITY_OURS)
    let result = unsafe cxdp_set_entry(securityDescriptor, &key, &value)
    guard result >= 0 else {
      throw mapFailure("adding \(association)", XDPProgram.securityMapName, result)
    }
  }

  private borrowing func remove(_ association: SecurityAssociation) throws(ProgramError) {
    var key = cprograms_security_association(association)
    let result = unsafe cxdp_remove_entry(securityDescriptor, &key)
    guard result >= 0 || result == -ENOENT else {
      throw mapFailure("removing \(association)", XDPProgram.securityMapName, result)
    }
  }
}

extension SecurityAssociation {
  /// Reads a key of the map, which is in network byte order.
  fileprivate init(_ key: cprograms_security_association) {
    self.init(
      address: IPv4Address(bits: UInt32(bigEndian: key.address)),
      identifier: UInt32(bigEndian: key.identifier))
  }
}

extension cprograms_security_association {
  /// A key of the map, in network byte order.
  fileprivate init(_ association: SecurityAssociation) {
    self.init(
      address: association.address.bits.bigEndian,
      identifier: association.identifier.bigEndian)
  }
}
