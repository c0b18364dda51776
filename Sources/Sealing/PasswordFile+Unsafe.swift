// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Passwords of files, whose bytes are read straight into memory for secrets and never anywhere
/// else.
///
/// Why this is sound: `read` writes at most `room` bytes to memory that `SecretBytes` has made of
/// this size and lends for the time of the call. Only bytes below what was read are looked at.
extension Password {
  /// Why a file gives no password.
  public enum FileProblem: Error, Equatable, Sendable {
    /// There is no such file.
    case missing
    /// This process may not read it.
    case forbidden
    /// It cannot be read for another reason.
    case unreadable
    /// It has no bytes or too many; of very many not all are counted.
    case length(Int)

    fileprivate init(errorNumber: Int32) {
      self =
        switch errorNumber {
        case ENOENT, ENOTDIR: .missing
        case EACCES, EPERM: .forbidden
        default: .unreadable
        }
    }
  }

  /// Reads a file of 1 to `lengthMax` bytes; one line break at its end does not belong to it.
  public convenience init(file path: String, lengthMax: Int) throws(FileProblem) {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileProblem(errorNumber: errno) }
    defer { close(descriptor) }
    // A line break, and a byte that shows that there are too many.
    let room = lengthMax + 3
    var outcome = FileOutcome(count: 0, errorNumber: 0)
    let contents = unsafe SecretBytes(count: room) { memory in
      outcome = unsafe Password.fill(memory, room, from: descriptor)
    }
    guard outcome.errorNumber == 0 else {
      throw FileProblem(errorNumber: outcome.errorNumber)
    }
    let length = unsafe contents.withBytes { bytes in
      unsafe Password.lengthWithoutLineBreak(bytes, outcome.count)
    }
    guard (1...lengthMax).contains(length) else { throw .length(length) }
    self.init(secret: contents.prefix(length))
  }

  private struct FileOutcome {
    var count: Int
    var errorNumber: Int32
  }

  @unsafe
  private static func fill(
    _ memory: UnsafeMutablePointer<UInt8>, _ room: Int, from descriptor: Int32
  ) -> FileOutcome {
    var count = 0
    while count < room {
      let result = unsafe Glibc.read(descriptor, memory + count, room - count)
      if result == 0 { break }
      if result > 0 {
        count += result
      } else if errno != EINTR {
        return FileOutcome(count: count, errorNumber: errno)
      }
    }
    return FileOutcome(count: count, errorNumber: 0)
  }

  @unsafe
  private static func lengthWithoutLineBreak(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
    var count = count
    for character in [UInt8(ascii: "\n"), UInt8(ascii: "\r")] where count > 0 {
      if unsafe bytes[count - 1] == character { count -= 1 }
    }
    return count
  }
}
