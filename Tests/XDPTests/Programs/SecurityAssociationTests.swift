// SPDX-License-Identifier: Apache-2.0

import CPrograms
import CXDP
import Glibc
import Inet
import Synchronization
import Testing
import XDP

@Suite struct SecurityAssociationLayoutTests {
  @Test func keyHasNoPadding() {
    #expect(MemoryLayout<cprograms_security_association>.size == 8)
    #expect(MemoryLayout<cprograms_security_association>.stride == 8)
    #expect(MemoryLayout<cprograms_security_association>.offset(of: \.address) == 0)
    #expect(MemoryLayout<cprograms_security_association>.offset(of: \.identifier) == 4)
  }

  @Test func descriptionsNameAddressAndIdentifier() {
    let association = SecurityAssociation(address: OuterFrame.ours.address, identifier: 0xBEEF)
    #expect(association.description == "192.0.2.1 0x0000beef")
    let error = ProgramError.tooManySecurityAssociations(count: 8193, capacity: 8192)
    #expect(error.description.contains("at most 8192 are accepted"))
  }
}

/// The map of the associations: what is set is what is there.
@Suite(.enabled(if: isRoot, rootComment)) struct SecurityAssociationTests {
  private let capacity = XDPProgram.securityAssociationCapacity

  /// Associations with identifiers from `first` on.
  private func associations(_ first: UInt32, _ count: Int) -> Set<SecurityAssociation> {
    Set(
      (0..<UInt32(count)).map {
        SecurityAssociation(address: OuterFrame.ours.address, identifier: first &+ $0)
      })
  }

  @Test func setOfAssociationsBecomesWhatIsWanted() throws {
    let program = try XDPProgram(.underlay)
    let all = associations(1, capacity)
    let others = associations(.max - UInt32(capacity), capacity)
    let mixed = associations(5000, capacity)
    let elsewhere = SecurityAssociation(address: OuterFrame.ours.address.neighbour, identifier: 1)
    for wanted in [[elsewhere], all, others, all, mixed, [], associations(7, 3), []] {
      try program.setSecurityAssociations(wanted)
      #expect(try program.securityAssociations() == wanted)
    }
  }

  @Test func oneAssociationTooManyIsRefusedAndNothingChanges() throws {
    let program = try XDPProgram(.underlay)
    try program.setSecurityAssociations([OuterFrame.association])
    #expect(
      throws: ProgramError.tooManySecurityAssociations(count: capacity + 1, capacity: capacity)
    ) {
      try program.setSecurityAssociations(associations(1, capacity + 1))
    }
    #expect(try program.securityAssociations() == [OuterFrame.association])
  }

  @Test func addressesAndAssociationsDoNotTouchEachOther() throws {
    let program = try XDPProgram(.underlay)
    try program.setSecurityAssociations([OuterFrame.association])
    try program.setOverlayAddresses([OuterFrame.ours])
    try program.setSecurityAssociations([])
    #expect(try program.overlayAddresses() == [OuterFrame.ours])
    try program.setSecurityAssociations([OuterFrame.association])
    try program.setOverlayAddresses([])
    #expect(try program.securityAssociations() == [OuterFrame.association])
  }

  @Test(arguments: [AttachRequest.native, .generic])
  func fullMapIsLoadedAndEveryEntryIsFound(requested: AttachRequest) async throws {
    try await inNewNamespace {
      try makePair()
      let program = try XDPProgram(.underlay)
      let all = associations(1, capacity)
      try program.setSecurityAssociations(all)
      let attachment = try program.attach(
        interfaceIndex: interfaceIndex("left"), requested: requested, lifetime: .withProcess)
      let socket = try UnboundSocket()
      try program.setSocket(socket.descriptor, queue: 0)
      for association in all {
        let frame = OuterFrame.sealed(association, payload: []).bytes
        try #require(try program.testRun(frame) == .redirect, "\(association)")
      }
      for identifier in [0, UInt32(capacity) + 1] {
        var frame = OuterFrame.sealed()
        frame.identifier = identifier
        #expect(try program.testRun(frame.bytes) == .pass)
      }
      try attachment.detach()
    }
  }

  /// A thread replaces one association by the next, among others that come and go with it; another
  /// one sees the old one go, and must find the new one there.
  @Test(.timeLimit(.minutes(5))) func newAssociationIsThereBeforeTheOldOneGoes() async throws {
    let chain = AssociationChain(try XDPProgram(.underlay))
    let socket = try UnboundSocket()
    try chain.program.setSocket(socket.descriptor, queue: 0)
    try chain.set(0)
    async let changes: Void = onOwnThread {
      for step in 1...AssociationChain.count {
        try chain.set(UInt32(step))
        let isSeen = eventually { chain.seen.load(ordering: .acquiring) >= step }
        try #require(isSeen, "step \(step)")
      }
    }
    try await onOwnThread {
      for step in 1...AssociationChain.count {
        let old = OuterFrame.sealed(chain.association(UInt32(step) - 1), payload: []).bytes
        let new = OuterFrame.sealed(chain.association(UInt32(step)), payload: []).bytes
        let isGone = try eventually {
          // Looked at without a pause, most of the time.
          for _ in 0..<2000 where try chain.program.testRun(old) == .pass { return true }
          return false
        }
        try #require(isGone, "step \(step)")
        try #require(try chain.program.testRun(new) == .redirect, "step \(step)")
        chain.seen.store(step, ordering: .releasing)
      }
    }
    try await changes
  }
}

/// A program whose associations are those of one step after the other.
private final class AssociationChain: Sendable {
  static let count = 50

  let program: XDPProgram
  /// The last step that the other thread has seen.
  let seen = Atomic<Int>(0)

  init(_ program: consuming XDPProgram) { self.program = program }

  /// The association of a step that is looked at.
  func association(_ step: UInt32) -> SecurityAssociation {
    SecurityAssociation(address: OuterFrame.ours.address, identifier: step << 16)
  }

  /// Sets a step's association and a hundred others, none of which is in any other step.
  func set(_ step: UInt32) throws {
    let others = (1...100).map {
      SecurityAssociation(address: OuterFrame.ours.address, identifier: step << 16 | UInt32($0))
    }
    try program.setSecurityAssociations(Set(others + [association(step)]))
  }
}
