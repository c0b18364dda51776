// SPDX-License-Identifier: Apache-2.0

import CPrograms
import CXDP
import Glibc
import Inet
import Testing
import XDP

@Suite struct ProgramLayoutTests {
  @Test func keyOfOverlayAddressesHasNoPadding() {
    #expect(MemoryLayout<cprograms_overlay_address>.size == 8)
    #expect(MemoryLayout<cprograms_overlay_address>.stride == 8)
    #expect(MemoryLayout<cprograms_overlay_address>.offset(of: \.address) == 0)
    #expect(MemoryLayout<cprograms_overlay_address>.offset(of: \.port) == 4)
    #expect(MemoryLayout<cprograms_overlay_address>.offset(of: \.zero) == 6)
  }

  @Test func embeddedObjectsAreAlignedELF() {
    unsafe expectAlignedELF(cprograms_underlay())
    unsafe expectAlignedELF(cprograms_port())
  }

  private func expectAlignedELF(_ object: cprograms_object) {
    let bytes = unsafe UnsafeBufferPointer(start: object.bytes, count: Int(object.size))
    let magic = unsafe Array(bytes.prefix(4))
    let address = UInt(bitPattern: bytes.baseAddress)
    #expect(magic == [0x7F, 0x45, 0x4C, 0x46])
    #expect(address.isMultiple(of: 8))
  }

  @Test func namesOnBothSidesAgree() {
    #expect(ProgramKind.namePrefix == CPROGRAMS_NAME_PREFIX)
    #expect(ProgramKind.allCases.allSatisfy { $0.programName.utf8.count <= 15 })
  }

  @Test func errorsSayWhatToDo() {
    let error = ProgramError.permission(call: "loading the XDP program 'port'")
    #expect(
      error.description == "loading the XDP program 'port' was not permitted: "
        + "needs CAP_BPF and CAP_NET_ADMIN: run as root")
    let refused = AttachError.refused(
      call: "attaching", interface: "eth0", mode: .native, errno: EOPNOTSUPP, detail: "")
    #expect(
      refused.description
        == "attaching on eth0 in native mode was refused: EOPNOTSUPP: Operation not supported")
    let foreign = AttachError.foreignProgram(interface: "eth0", id: 7, name: "theirs")
    #expect(foreign.description.hasPrefix("eth0 already has the XDP program 7 'theirs'"))
  }
}

@Suite(.enabled(if: isRoot, rootComment)) struct ProgramMapTests {
  @Test(arguments: ProgramKind.allCases)
  func programLoadsUnderItsName(kind: ProgramKind) throws {
    let program = try XDPProgram(kind)
    var name = [CChar](repeating: 0, count: 16)
    #expect(unsafe cxdp_copy_program_name(program.programDescriptor, &name) == 0)
    let text = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    #expect(String(decoding: text, as: UTF8.self) == kind.programName)
  }

  @Test func setOfAddressesBecomesWhatIsWanted() throws {
    let program = try XDPProgram(.underlay)
    let all = (0..<1024).map {
      OverlayAddress(address: IPv4Address(bits: 0x0A00_0000 + UInt32($0)), port: 6784)
    }
    let others = all.map { OverlayAddress(address: $0.address, port: 6783) }
    for wanted in [all, others, Array(all[..<600] + others[..<424]), [all[3], all[3]], []] {
      try program.setOverlayAddresses(wanted)
      #expect(try program.overlayAddresses() == Set(wanted))
    }
  }

  @Test func oneAddressTooManyIsRefusedAndNothingChanges() throws {
    let program = try XDPProgram(.underlay)
    try program.setOverlayAddresses([OuterFrame.ours])
    let tooMany = (0..<1025).map {
      OverlayAddress(address: IPv4Address(bits: UInt32($0)), port: 1)
    }
    #expect(throws: ProgramError.tooManyOverlayAddresses(count: 1025, capacity: 1024)) {
      try program.setOverlayAddresses(tooMany)
    }
    #expect(try program.overlayAddresses() == [OuterFrame.ours])
  }

  @Test func queueBeyondTheMapIsRefused() throws {
    let program = try XDPProgram(.port)
    let socket = try UnboundSocket()
    #expect(throws: ProgramError.queueOutOfRange(queue: 256, count: 256)) {
      try program.setSocket(socket.descriptor, queue: 256)
    }
    #expect(throws: ProgramError.queueOutOfRange(queue: .max, count: 256)) {
      try program.removeSocket(queue: .max)
    }
    try program.setSocket(socket.descriptor, queue: 255)
    try program.removeSocket(queue: 255)
    try program.removeSocket(queue: 255)
  }

  @Test func whatIsNoSocketIsRefused() throws {
    let program = try XDPProgram(.port)
    #expect(throws: ProgramError.map(call: "setting queue 0", map: "sockets", errno: EBADF)) {
      try program.setSocket(-1, queue: 0)
    }
  }

  @Test func withoutCapabilitiesTheErrorSaysWhatIsNeeded() async throws {
    try await onOwnThread {
      try dropCapabilities()
      #expect(throws: ProgramError.permission(call: "loading the XDP program 'underlay'")) {
        _ = try XDPProgram(.underlay).programDescriptor
      }
    }
  }

  @Test func descriptorsAreGivenBack() async throws {
    try await onOwnThread {
      // Other tests open and close descriptors meanwhile, so the leak would have to be large.
      let before = try openDescriptorCount()
      for _ in 0..<50 { _ = try XDPProgram(.port).programDescriptor }
      #expect(try openDescriptorCount() < before + 100)
    }
  }
}

/// Takes all capabilities from the calling thread, for good.
private func dropCapabilities() throws {
  typealias CapSet = @convention(c) (UnsafePointer<UInt32>, UnsafePointer<UInt32>) -> CInt
  // Unlike setuid, which glibc does for the whole process, it is about one thread.
  let capset = unsafe unsafeBitCast(try function("capset"), to: CapSet.self)
  // Version 3 and the calling thread; then effective, permitted, inheritable of both halves.
  guard unsafe capset([0x2008_0522, 0], [0, 0, 0, 0, 0, 0]) == 0 else {
    throw TestFailure.errno("capset")
  }
}

private func openDescriptorCount() throws -> Int {
  guard let folder = unsafe opendir("/proc/self/fd") else { throw TestFailure.errno("opendir") }
  defer { unsafe closedir(folder) }
  var count = 0
  while unsafe readdir(folder) != nil { count += 1 }
  return count
}
