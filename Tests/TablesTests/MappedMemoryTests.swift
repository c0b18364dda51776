// SPDX-License-Identifier: Apache-2.0

import Glibc
import Tables
import Testing

@Suite struct MappedMemoryTests {
  @Test(arguments: [(1, 4096), (4096, 4096), (4097, 8192)])
  func lengthIsRoundedUpToPages(asked: Int, given: Int) throws {
    let memory = try MappedMemory(length: asked, name: "weft-test")
    #expect(memory.length == given)
    #expect(UInt(bitPattern: unsafe memory.base) % 4096 == 0)
  }

  @Test func memoryIsZeroedAndWritableToItsLastByte() throws {
    let memory = try MappedMemory(length: 3 * 4096, name: "weft-test")
    let bytes = unsafe UnsafeMutableRawBufferPointer(start: memory.base, count: memory.length)
    #expect(unsafe bytes.allSatisfy { $0 == 0 })
    unsafe bytes[memory.length - 1] = 9
    #expect(unsafe bytes.last == 9)
  }

  @Test func fileHoldsTheSameBytesAndIsClosedOnExec() throws {
    let memory = try MappedMemory(length: 4096, name: "weft-test")
    unsafe memory.base.storeBytes(of: 0x1234_5678, toByteOffset: 100, as: UInt32.self)
    var word: UInt32 = 0
    #expect(unsafe pread(memory.fileDescriptor, &word, 4, 100) == 4)
    #expect(word == 0x1234_5678)
    #expect(fcntl(memory.fileDescriptor, F_GETFD) & FD_CLOEXEC != 0)
  }

  @Test func hugeMappingCostsNothingUntilItIsWritten() throws {
    let memory = try MappedMemory(length: 1 << 36, name: "weft-test")
    unsafe memory.base.storeBytes(of: 1, toByteOffset: memory.length - 1, as: UInt8.self)
    var status = stat()
    #expect(unsafe fstat(memory.fileDescriptor, &status) == 0)
    #expect(status.st_blocks * 512 <= 4 << 20)
  }

  @Test(arguments: [0, -1, -4096, Int.min, Int.max, Int.max - 4094, Int.max / 2])
  func impossibleLengthIsRefusedWithTheCall(length: Int) {
    let error = #expect(throws: MemoryError.self) {
      _ = try MappedMemory(length: length, name: "weft-test")
    }
    #expect(error?.description.isEmpty == false)
    #expect(error?.number != 0)
  }

  @Test func nameThatTheKernelRefusesIsAnError() {
    let error = #expect(throws: MemoryError.self) {
      _ = try MappedMemory(length: 4096, name: String(repeating: "x", count: 300))
    }
    #expect(error == MemoryError(call: "memfd_create", number: EINVAL))
    #expect(
      error?.description == "memfd_create for shared memory failed: Invalid argument")
  }

  @Test func refusalsLeaveNoDescriptorBehind() throws {
    let before = try MappedMemory(length: 4096, name: "weft-test").fileDescriptor
    for _ in 0..<50 { _ = try? MappedMemory(length: Int.max / 2, name: "weft-test") }
    let after = try MappedMemory(length: 4096, name: "weft-test").fileDescriptor
    // Other tests open files meanwhile, but not fifty.
    #expect(after < before + 40)
  }
}
