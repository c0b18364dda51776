// SPDX-License-Identifier: Apache-2.0

import CXDP
import Glibc
import TestSupport
import Testing
import XDP

@Suite(.enabled(if: isRoot, rootComment)) struct QueryTests {
  @Test func oneProgramAmongFiftyInterfacesIsFoundAndNoneElsewhere() async throws {
    try await inNewNamespace {
      for number in 0..<25 {
        try run("ip link add near\(number) type veth peer name far\(number)")
      }
      try makePair()
      let left = try interfaceIndex("left")
      for (request, mode) in [
        (AttachRequest.native, CXDP_MODE_NATIVE), (.generic, CXDP_MODE_GENERIC),
      ] {
        let attachment = try XDPProgram(.port).attach(
          interfaceIndex: left, requested: request, lifetime: .withDevice)
        for index in 1...(try interfaceIndex("right") + left) {
          let found = try attached(index)
          #expect(found.id == (index == left ? attachment.programIdentifier : 0))
          #expect(found.mode == (index == left ? mode : CXDP_MODE_NONE))
        }
        try attachment.detach()
      }
    }
  }

  @Test func answerIsThatOfTheCallingThreadsNamespace() async throws {
    try await inNewNamespace {
      try makePair()
      let left = try interfaceIndex("left")
      let attachment = try XDPProgram(.port).attach(
        interfaceIndex: left, requested: .native, lifetime: .withDevice)
      #expect(try attached(left).id == attachment.programIdentifier)
    }
    try await inNewNamespace {
      try makePair()
      #expect(try attached(try interfaceIndex("left")).id == 0)
    }
  }

  @Test(arguments: [0, 4711, 0x7FFF_FFFF, 0x8000_0000, UInt32.max])
  func interfaceThatIsNotThereHasNoProgram(index: UInt32) async throws {
    try await inNewNamespace {
      let found = try attached(index)
      #expect(found.id == 0)
      #expect(found.mode == CXDP_MODE_NONE)
    }
  }
}

/// What the kernel answers, also where no interface of the tests does so.
@Suite struct AnswerTests {
  private static let modes: [(Answer, UInt32, cxdp_mode)] = [
    (Answer(attached: 0), 0, CXDP_MODE_NONE),
    (Answer(attached: 1, program: 11, driver: 11), 11, CXDP_MODE_NATIVE),
    (Answer(attached: 2, program: 12, generic: 12), 12, CXDP_MODE_GENERIC),
    (Answer(attached: 3, program: 13, hardware: 13), 13, CXDP_MODE_OTHER),
    (Answer(attached: 4, driver: 11, hardware: 13), 13, CXDP_MODE_OTHER),
    (Answer(attached: 4, driver: 11, generic: 12), 11, CXDP_MODE_OTHER),
    (Answer(attached: 9, generic: 12), 12, CXDP_MODE_OTHER),
    (Answer(attached: nil), 0, CXDP_MODE_NONE),
  ]

  @Test(arguments: modes)
  func everyModeIsToldWithItsProgram(answer: Answer, id: UInt32, mode: cxdp_mode) throws {
    let (result, found) = try GuardedBytes().read(answer.bytes)
    #expect(result == 0)
    #expect(found.id == id)
    #expect(found.mode == mode)
  }

  @Test func errorOfTheKernelIsTheResult() throws {
    let guarded = try GuardedBytes()
    #expect(guarded.read(Answer.failure(-ENODEV)).result == -ENODEV)
    #expect(guarded.read(Answer.failure(-EPERM)).result == -EPERM)
    for number in [0, 1, -4096, CInt.min] {
      #expect(guarded.read(Answer.failure(number)).result == -EBADMSG)
    }
  }

  @Test func answerToAnotherQuestionIsRefused() throws {
    let guarded = try GuardedBytes()
    var answer = Answer(attached: 1, program: 11)
    answer.interface += 1
    #expect(guarded.read(answer.bytes).result == -EBADMSG)
    let good = Answer(attached: 1, program: 11).bytes
    // The message's type and its sequence number.
    for offset in [4, 8] {
      var bytes = good
      bytes[offset] += 1
      #expect(guarded.read(bytes).result == -EBADMSG)
    }
  }

  @Test func truncatedAnswerIsRefused() throws {
    let guarded = try GuardedBytes()
    for bytes in [Answer(attached: 1, program: 11).bytes, Answer.failure(-ENODEV)] {
      for length in stride(from: 0, to: bytes.count, by: 4) {
        #expect(guarded.read(Array(bytes.prefix(length))).result == -EBADMSG)
        // With a header that says so there is less to find, and no error past the fixed part.
        let (result, found) = guarded.read(
          Answer.withLength(Array(bytes.prefix(max(length, 16)))))
        #expect(result == -EBADMSG || result == 0 && (found.id == 0 || found.id == 11))
      }
    }
  }

  @Test(arguments: fixedSeeds)
  func changedAnswerIsReadInsideItsBounds(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let guarded = try GuardedBytes()
    let good = Answer(attached: 4, program: 7, driver: 11, generic: 12, hardware: 13).bytes
    for _ in 0..<2000 {
      var bytes = good
      for _ in 0...generator.number(below: 4) {
        bytes[generator.number(below: bytes.count)] = generator.bytes(1)[0]
      }
      let (result, found) = guarded.read(bytes)
      // The kernel's errors are those above -4096.
      #expect(result <= 0 && result > -4096, "\(generator)")
      #expect(found.mode.rawValue <= CXDP_MODE_OTHER.rawValue, "\(generator)")
    }
  }
}

/// The kernel's answer about an interface, with some attributes around the one that matters.
struct Answer: Sendable {
  static let asked: UInt32 = 7
  var interface = Answer.asked
  var attached: UInt8?
  var program: UInt32?
  var driver: UInt32?
  var generic: UInt32?
  var hardware: UInt32?

  init(
    attached: UInt8?, program: UInt32? = nil, driver: UInt32? = nil, generic: UInt32? = nil,
    hardware: UInt32? = nil
  ) {
    self.attached = attached
    self.program = program
    self.driver = driver
    self.generic = generic
    self.hardware = hardware
  }

  /// The numbers are those of rtnetlink(7) and of linux/if_link.h.
  var bytes: [UInt8] {
    let programs = [(4, program), (5, driver), (6, generic), (7, hardware)]
    let nest =
      (attached.map { Self.attribute(2, [$0]) } ?? [])
      + programs.flatMap { type, id in
        id.map { Self.attribute(UInt16(type), Self.octets($0)) } ?? []
      }
    let link = Self.octets(0) + Self.octets(interface) + Self.octets(0) + Self.octets(0)
    let name = Self.attribute(3, Array("eth0\0".utf8))
    return Self.message(16, link + name + Self.attribute(43, nest) + Self.attribute(4, [0, 0]))
  }

  static func failure(_ number: CInt) -> [UInt8] {
    message(2, octets(UInt32(bitPattern: number)) + [UInt8](repeating: 0, count: 16))
  }

  /// The bytes with a header that claims no more and no less.
  static func withLength(_ bytes: [UInt8]) -> [UInt8] {
    octets(UInt32(bytes.count)) + bytes.dropFirst(4)
  }

  private static func message(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
    withLength(octets(0) + octets(type) + octets(1) + octets(0) + body)
  }

  private static func attribute(_ type: UInt16, _ body: [UInt8]) -> [UInt8] {
    let header = octets(UInt32(type) << 16 | UInt32(4 + body.count))
    return header + body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
  }

  private static func octets(_ number: UInt32) -> [UInt8] {
    stride(from: 0, to: 32, by: 8).map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
  }
}

/// Memory with a page behind it whose reading ends the test.
@safe private final class GuardedBytes {
  private let pages: UnsafeMutableRawPointer
  private let page = 4096

  init() throws {
    guard
      let pages = unsafe mmap(
        nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      unsafe pages != MAP_FAILED, unsafe mprotect(pages + page, page, PROT_NONE) == 0
    else { throw TestFailure.errno("mmap") }
    unsafe self.pages = pages
  }

  deinit { unsafe munmap(pages, 2 * page) }

  /// Reads an answer that ends where the forbidden page begins.
  func read(_ bytes: [UInt8]) -> (result: CInt, found: cxdp_attached) {
    let start = unsafe pages + page - bytes.count
    unsafe start.copyMemory(from: bytes, byteCount: bytes.count)
    var found = cxdp_attached()
    let result = unsafe cxdp_read_answer(start, UInt(bytes.count), Answer.asked, &found)
    return (result, found)
  }
}
