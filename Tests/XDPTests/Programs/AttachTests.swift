// SPDX-License-Identifier: Apache-2.0

import CPrograms
import CXDP
import Glibc
import Testing
import XDP

/// The program of an interface as the kernel reports it: id 0 is none.
func attached(_ interfaceIndex: UInt32) throws -> cxdp_attached {
  var attached = cxdp_attached()
  let result = unsafe cxdp_query_program(interfaceIndex, &attached)
  guard result == 0 else { throw TestFailure("the query failed with \(result)") }
  return attached
}

/// A program of somebody else: the port program under another name, attached to the device.
private func attachForeign(_ interfaceIndex: UInt32, _ mode: cxdp_mode) throws -> UInt32 {
  let embedded = unsafe cprograms_port()
  var bytes = unsafe Array(
    UnsafeBufferPointer(start: embedded.bytes, count: Int(embedded.size)))
  let name = Array("weft_port".utf8)
  for index in 0..<bytes.count - name.count where Array(bytes[index..<index + 9]) == name {
    bytes.replaceSubrange(index..<index + 4, with: Array("else".utf8))
  }
  var loaded = cxdp_program()
  let result = unsafe bytes.withUnsafeBytes { bytes in
    unsafe "else_port".withCString { program in
      unsafe "missed".withCString { map in
        var object = unsafe cxdp_object(
          bytes: bytes.baseAddress, size: UInt(bytes.count), program: program, map: map,
          second_map: nil)
        return unsafe cxdp_load_program(&object, &loaded)
      }
    }
  }
  guard result == 0 else { throw TestFailure("loading failed: \(result)") }
  defer {
    for descriptor in [loaded.program, loaded.sockets, loaded.map] { _ = close(descriptor) }
  }
  guard cxdp_attach_program(interfaceIndex, loaded.program, mode, -1) == 0 else {
    throw TestFailure("attaching failed")
  }
  return cxdp_program_id(loaded.program)
}

@Suite(.enabled(if: isRoot, rootComment)) struct AttachTests {
  @Test(arguments: [AttachmentLifetime.withProcess, .withDevice])
  func vethIsNativeAndSaysWhy(lifetime: AttachmentLifetime) async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let program = try XDPProgram(.port)
      let attachment = try program.attach(
        interfaceIndex: index, requested: .automatic, lifetime: lifetime)
      #expect(attachment.mode == .native)
      #expect(attachment.reason == "native: supported by the driver")
      #expect(attachment.programIdentifier == (try attached(index).id))
      #expect(try attached(index).mode == CXDP_MODE_NATIVE)
      try attachment.detach()
      #expect(try attached(index).id == 0)
    }
  }

  @Test(arguments: [AttachmentLifetime.withProcess, .withDevice])
  func genericCanBeAskedFor(lifetime: AttachmentLifetime) async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let attachment = try XDPProgram(.underlay).attach(
        interfaceIndex: index, requested: .generic, lifetime: lifetime)
      #expect(attachment.mode == .generic)
      #expect(attachment.reason == "generic: asked for")
      #expect(try attached(index).mode == CXDP_MODE_GENERIC)
      try attachment.detach()
      #expect(try attached(index).id == 0)
    }
  }

  @Test(arguments: [AttachmentLifetime.withProcess, .withDevice])
  func driverWithoutNativeModeFallsBackAndSaysWhy(lifetime: AttachmentLifetime) async throws {
    try await inNewNamespace {
      let index = try interfaceIndex("lo")
      let program = try XDPProgram(.underlay)
      let attachment = try program.attach(
        interfaceIndex: index, requested: .automatic, lifetime: lifetime)
      #expect(attachment.mode == .generic)
      #expect(
        attachment.reason.hasPrefix("generic: the driver refused native mode (EOPNOTSUPP: "))
      try attachment.detach()
      #expect {
        _ = try program.attach(interfaceIndex: index, requested: .native, lifetime: lifetime).mode
      } throws: { error in
        guard case .refused(_, "lo", .native, EOPNOTSUPP, _)? = error as? AttachError else {
          return false
        }
        return true
      }
    }
  }

  @Test func vethThatCannotTakeAProgramFallsBack() async throws {
    try await inNewNamespace {
      // veth refuses native mode if its peer sends from more queues than it receives on.
      try run(
        "ip link add left numrxqueues 1 numtxqueues 1 "
          + "type veth peer name right numrxqueues 4 numtxqueues 4")
      try run("ip link set left up")
      try run("ip link set right up")
      let attachment = try XDPProgram(.port).attach(
        interfaceIndex: try interfaceIndex("left"), requested: .automatic, lifetime: .withDevice)
      #expect(attachment.mode == .generic)
      #expect(attachment.reason.contains("ENOSPC"))
      #expect(attachment.reason.contains("queues"), "the driver's own words: \(attachment.reason)")
    }
  }

  @Test func linkGoesWithTheLastProcessThatHoldsIt() async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let holder = try attachAndHandOver(index)
      // Our own descriptors are closed: only the other process keeps the program there.
      usleep(100_000)
      #expect(try attached(index).id != 0)
      kill(holder, SIGKILL)
      waitpid(holder, nil, 0)
      #expect(try eventually { try attached(index).id == 0 })
    }
  }

  /// Attaches by a link, gives the link to a new process and drops it here.
  private func attachAndHandOver(_ index: UInt32) throws -> pid_t {
    let attachment = try XDPProgram(.underlay).attach(
      interfaceIndex: index, requested: .native, lifetime: .withProcess)
    return try spawn("sleep 60", inheriting: attachment.linkDescriptor)
  }

  @Test func droppedLinkDetaches() async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      do {
        let attachment = try XDPProgram(.underlay).attach(
          interfaceIndex: index, requested: .automatic, lifetime: .withProcess)
        #expect(try attached(index).id == attachment.programIdentifier)
      }
      #expect(try eventually { try attached(index).id == 0 })
    }
  }

  @Test(arguments: [AttachRequest.native, .generic], [AttachRequest.native, .generic])
  func programOfTheDeviceStaysAndIsReplaced(
    first: AttachRequest, second: AttachRequest
  ) async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let old = try attachAndForget(index, first)
      #expect(try attached(index).id == old)
      let attachment = try XDPProgram(.port).attach(
        interfaceIndex: index, requested: second, lifetime: .withDevice)
      #expect(attachment.programIdentifier != old)
      #expect(try attached(index).id == attachment.programIdentifier)
      #expect(attachment.mode.rawValue == second.rawValue)
      try attachment.detach()
      #expect(try attached(index).id == 0)
    }
  }

  /// What a process that is killed leaves: an attached program that nobody holds.
  private func attachAndForget(_ index: UInt32, _ requested: AttachRequest) throws -> UInt32 {
    try XDPProgram(.port).attach(
      interfaceIndex: index, requested: requested, lifetime: .withDevice
    ).programIdentifier
  }

  @Test func attachmentDoesNotDetachItsSuccessor() async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let first = try XDPProgram(.port).attach(
        interfaceIndex: index, requested: .native, lifetime: .withDevice)
      let second = try attachAndForget(index, .native)
      do throws(AttachError) {
        try first.detach()
        Issue.record("the predecessor detached its successor")
      } catch {
        #expect(error == .foreignProgram(interface: "left", id: second, name: "weft_port"))
      }
      #expect(try attached(index).id == second)
    }
  }

  @Test func detachAfterTheInterfaceIsGoneIsNoError() async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let link = try XDPProgram(.underlay).attach(
        interfaceIndex: try interfaceIndex("right"), requested: .native, lifetime: .withProcess)
      let device = try XDPProgram(.port).attach(
        interfaceIndex: index, requested: .native, lifetime: .withDevice)
      try run("ip link delete left")
      try link.detach()
      try device.detach()
      #expect(try Attachment.detachOwn(interfaceIndex: index) == false)
    }
  }

  @Test(arguments: [AttachmentLifetime.withProcess, .withDevice])
  func interfaceThatIsNotThereIsNamed(lifetime: AttachmentLifetime) async throws {
    try await inNewNamespace {
      let program = try XDPProgram(.port)
      #expect(throws: AttachError.noInterface(index: 4711)) {
        _ = try program.attach(
          interfaceIndex: 4711, requested: .automatic, lifetime: lifetime
        ).mode
      }
    }
  }
}

@Suite(.enabled(if: isRoot, rootComment)) struct ForeignProgramTests {
  @Test(
    arguments: [AttachmentLifetime.withProcess, .withDevice],
    [AttachRequest.automatic, .native, .generic])
  func foreignProgramIsNeverTouched(
    lifetime: AttachmentLifetime, requested: AttachRequest
  ) async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      for mode in [CXDP_MODE_NATIVE, CXDP_MODE_GENERIC] {
        let foreign = try attachForeign(index, mode)
        let program = try XDPProgram(.port)
        #expect(
          throws: AttachError.foreignProgram(interface: "left", id: foreign, name: "else_port")
        ) {
          _ = try program.attach(
            interfaceIndex: index, requested: requested, lifetime: lifetime
          ).mode
        }
        #expect(try Attachment.detachOwn(interfaceIndex: index) == false)
        #expect(try attached(index).id == foreign)
        #expect(try attached(index).mode == mode)
        try run("ip link set left xdp off")
      }
    }
  }

  @Test func programOfTheOtherKindIsForeign() async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let underlay = try XDPProgram(.underlay)
      let port = try XDPProgram(.port)
      let attachment = try underlay.attach(
        interfaceIndex: index, requested: .native, lifetime: .withDevice)
      let error = AttachError.foreignProgram(
        interface: "left", id: attachment.programIdentifier, name: "weft_underlay")
      for lifetime in [AttachmentLifetime.withDevice, .withProcess] {
        #expect(throws: error) {
          _ = try port.attach(interfaceIndex: index, requested: .native, lifetime: lifetime).mode
        }
      }
      try attachment.detach()
    }
  }

  @Test func leftoverOfOursIsCleanedAway() async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      #expect(try Attachment.detachOwn(interfaceIndex: index) == false)
      for requested in [AttachRequest.native, .generic] {
        _ = try XDPProgram(.port).attach(
          interfaceIndex: index, requested: requested, lifetime: .withDevice
        ).mode
        #expect(try Attachment.detachOwn(interfaceIndex: index) == true)
        #expect(try attached(index).id == 0)
      }
    }
  }

  @Test func linkOfALivingProcessIsNotTakenAway() async throws {
    try await inNewNamespace {
      try makePair()
      let index = try interfaceIndex("left")
      let attachment = try XDPProgram(.port).attach(
        interfaceIndex: index, requested: .native, lifetime: .withProcess)
      let error = AttachError.foreignProgram(
        interface: "left", id: attachment.programIdentifier, name: "weft_port")
      #expect(throws: error) { _ = try Attachment.detachOwn(interfaceIndex: index) }
      #expect(throws: error) {
        _ = try XDPProgram(.port).attach(
          interfaceIndex: index, requested: .native, lifetime: .withDevice
        ).mode
      }
      #expect(try attached(index).id == attachment.programIdentifier)
      try attachment.detach()
    }
  }
}
