// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// Zeroed memory behind an anonymous file, mapped shared.
///
/// It is a file so that another process can be handed the same bytes later, and it is a class so
/// that everybody who keeps pointers into it can keep it mapped: **a pointer taken from `base` is
/// valid as long as a reference to this object is held**, which is what every user's own proof
/// rests on. Pages are not touched before use, so a large mapping costs nothing until written.
@safe
public final class MappedMemory: @unchecked Sendable {
  /// First byte; aligned to a page.
  public let base: UnsafeMutableRawPointer
  /// Length in bytes, a multiple of the page size.
  public let length: Int
  /// The anonymous file; open as long as this object lives.
  public let fileDescriptor: CInt

  /// Maps `length` bytes, rounded up to whole pages.
  ///
  /// - Throws: `MemoryError` naming the call the kernel refused.
  public init(length: Int, name: String) throws(MemoryError) {
    guard length > 0, length <= Int.max - MappedMemory.pageLength else {
      throw MemoryError(call: "mapping \(length) bytes", number: EINVAL)
    }
    let rounded = (length + MappedMemory.pageLength - 1) & ~(MappedMemory.pageLength - 1)
    let descriptor = unsafe clinux_memory_file(name)
    guard descriptor >= 0 else { throw MemoryError(call: "memfd_create", number: -descriptor) }
    guard ftruncate(descriptor, rounded) == 0 else {
      let number = errno
      close(descriptor)
      throw MemoryError(call: "ftruncate", number: number)
    }
    guard let address = unsafe MappedMemory.map(descriptor, length: rounded) else {
      let number = errno
      close(descriptor)
      throw MemoryError(call: "mmap", number: number)
    }
    unsafe base = address
    self.length = rounded
    fileDescriptor = descriptor
  }

  /// Bytes of a page of this module, which is also the smallest page of every supported machine.
  public static let pageLength = 4096

  /// Maps the file, in a test build behind room for the stamps of its pages; nil with `errno`.
  @unsafe
  private static func map(_ descriptor: CInt, length: Int) -> UnsafeMutableRawPointer? {
    let lead = PageStamps.leadLength(for: length)
    let access = PROT_READ | PROT_WRITE
    var wanted: UnsafeMutableRawPointer?
    var flags = MAP_SHARED | MAP_NORESERVE
    if lead > 0 {
      let room = unsafe mmap(
        nil, lead + length, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
      guard let room = unsafe room, unsafe room != MAP_FAILED else { return nil }
      unsafe wanted = room + lead
      flags |= MAP_FIXED
    }
    let address = unsafe mmap(wanted, length, access, flags, descriptor, 0)
    return unsafe address == MAP_FAILED ? nil : address
  }

  deinit {
    let lead = PageStamps.leadLength(for: length)
    unsafe munmap(base - lead, lead + length)
    close(fileDescriptor)
  }
}

/// The kernel refused memory.
public struct MemoryError: Error, Equatable, CustomStringConvertible {
  /// The system call that failed.
  public let call: String
  /// Its `errno`.
  public let number: CInt

  /// Records a refusal.
  public init(call: String, number: CInt) {
    self.call = call
    self.number = number
  }

  /// What failed and why, for a person.
  public var description: String {
    unsafe "\(call) for shared memory failed: \(String(cString: strerror(number)))"
  }
}
