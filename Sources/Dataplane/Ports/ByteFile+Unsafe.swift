// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file that is read, or written, once from its beginning to its end.
///
/// Proof of safety: pointers are those of arrays, for one call each and with the array's own
/// length; the descriptor is this value's alone and closed once.
struct ByteFile: ~Copyable {
  let path: String
  private let descriptor: CInt

  /// Opens a file to be read.
  init(reading path: String) throws(PcapError) {
    try self.init(path, O_RDONLY | O_CLOEXEC, call: "opening it")
  }

  /// Makes a file to be written, in place of one that may be there.
  init(writing path: String) throws(PcapError) {
    try self.init(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, call: "creating it")
  }

  private init(_ path: String, _ flags: CInt, call: String) throws(PcapError) {
    self.path = path
    descriptor = unsafe open(path, flags, 0o644)
    guard descriptor >= 0 else { throw ByteFile.refusal(path, 0, call) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Reads up to so many bytes, which are fewer only at the file's end.
  func read(_ count: Int, at offset: UInt64) throws(PcapError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let result = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor, buffer.baseAddress.map { unsafe $0 + done }, count - done)
      }
      if result < 0 && errno == EINTR { continue }
      guard result >= 0 else { throw ByteFile.refusal(path, offset, "reading it") }
      guard result > 0 else { break }
      done += result
    }
    bytes.removeLast(count - done)
    return bytes
  }

  /// Writes all of these bytes.
  func write(_ bytes: [UInt8], at offset: UInt64) throws(PcapError) {
    var done = 0
    while done < bytes.count {
      let result = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(
          descriptor, buffer.baseAddress.map { unsafe $0 + done }, bytes.count - done)
      }
      if result < 0 && errno == EINTR { continue }
      guard result > 0 else { throw ByteFile.refusal(path, offset, "writing it") }
      done += result
    }
  }

  private static func refusal(_ path: String, _ offset: UInt64, _ call: String) -> PcapError {
    let number = errno
    let text = unsafe String(cString: strerror(number))
    return PcapError(path, at: offset, .refused(call: call, number: number, text: text))
  }
}
