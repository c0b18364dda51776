// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A file descriptor with exactly one owner, closed when the owner goes.
///
/// Buffers are handed to the kernel only for the length of a call, with their true length.
package struct FileDescriptor: ~Copyable, Sendable {
  /// The number, valid for as long as this value lives.
  package let rawValue: Int32

  /// Takes over a descriptor that nobody else will close.
  package init(owning rawValue: Int32) {
    self.rawValue = rawValue
  }

  deinit {
    _ = close(rawValue)
  }

  /// Opens `path`; `O_CLOEXEC` is added to `flags`.
  package static func open(
    _ path: String, flags: Int32
  ) throws(HostNetworkError) -> FileDescriptor {
    let number = try systemCall("open", subject: path) {
      unsafe Glibc.open(path, flags | O_CLOEXEC)
    }
    return FileDescriptor(owning: number)
  }

  /// Writes all of `text` in one call, as files below /proc/sys want it.
  package borrowing func write(
    _ text: String, subject: String
  ) throws(HostNetworkError) {
    let bytes = Array(text.utf8)
    let descriptor = rawValue
    _ = try systemCall("write", subject: subject) {
      unsafe bytes.withUnsafeBytes { buffer in
        unsafe Int32(truncatingIfNeeded: Glibc.write(descriptor, buffer.baseAddress, buffer.count))
      }
    }
  }

  /// Reads at most `limit` bytes in one call.
  package borrowing func read(
    limit: Int, subject: String
  ) throws(HostNetworkError) -> String {
    let descriptor = rawValue
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = try systemCall("read", subject: subject) {
      unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe Int32(truncatingIfNeeded: Glibc.read(descriptor, buffer.baseAddress, buffer.count))
      }
    }
    return String(decoding: bytes.prefix(Int(count)), as: UTF8.self)
  }

  /// Device and inode of the open file, which together identify it.
  package borrowing func identity(subject: String) throws(HostNetworkError) -> FileIdentity {
    let descriptor = rawValue
    var status = stat()
    _ = try systemCall("fstat", subject: subject) { unsafe fstat(descriptor, &status) }
    return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }
}

/// What tells one open file from another on the same machine.
package struct FileIdentity: Hashable, Sendable {
  /// The device the file is on.
  package let device: UInt64
  /// The file's number on that device.
  package let inode: UInt64
}

/// Runs a call that returns −1 and sets `errno`, again for as long as a signal interrupts it.
func systemCall(
  _ call: String, subject: String, _ body: () -> Int32
) throws(HostNetworkError) -> Int32 {
  while true {
    let result = body()
    if result >= 0 { return result }
    let number = errno
    if number != EINTR {
      throw .system(SystemError(call: call, errno: number, subject: subject))
    }
  }
}

/// Runs a shim that returns a negated errno number, again for as long as a signal interrupts it.
@discardableResult
func shimCall(
  _ call: String, subject: String, _ body: () -> Int32
) throws(HostNetworkError) -> Int32 {
  while true {
    let result = body()
    if result >= 0 { return result }
    if result != -EINTR {
      throw .system(SystemError(call: call, errno: -result, subject: subject))
    }
  }
}

/// The C library's text of an errno number.
func errorText(_ number: Int32) -> String {
  textFromC(capacity: 128) { unsafe clinux_error_text(number, $0, $1) }
}

/// Collects a terminated string that a C function writes into a buffer.
@safe
func textFromC(
  capacity: Int, _ body: (UnsafeMutablePointer<CChar>, Int) -> Void
) -> String {
  unsafe String(unsafeUninitializedCapacity: capacity) { buffer in
    unsafe buffer.initialize(repeating: 0)
    guard let base = buffer.baseAddress else { return 0 }
    unsafe base.withMemoryRebound(to: CChar.self, capacity: capacity) { unsafe body($0, capacity) }
    return unsafe buffer.firstIndex(of: 0) ?? 0
  }
}
