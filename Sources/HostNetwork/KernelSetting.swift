// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// One file below `/proc/sys`, as the calling thread's network namespace shows it.
package struct KernelSetting: Sendable, Equatable {
  /// The path below `/proc/sys`, such as `net/ipv4/ip_forward`.
  package let path: String

  /// Names a setting by its path below `/proc/sys`.
  package init(_ path: String) {
    self.path = path
  }

  /// Writes a value; false if this kernel has no such setting.
  @discardableResult
  package func set(_ value: String) throws(HostNetworkError) -> Bool {
    let file = "/proc/sys/\(path)"
    do {
      let descriptor = try FileDescriptor.open(file, flags: O_WRONLY)
      try descriptor.write(value, subject: file)
      return true
    } catch .system(let error) where error.errno == ENOENT {
      return false
    }
  }

  /// The value without the newline, or nil if this kernel has no such setting.
  package func value() throws(HostNetworkError) -> String? {
    let file = "/proc/sys/\(path)"
    do {
      let descriptor = try FileDescriptor.open(file, flags: O_RDONLY)
      let text = try descriptor.read(limit: 256, subject: file)
      return String(text.prefix { $0 != "\n" })
    } catch .system(let error) where error.errno == ENOENT {
      return nil
    }
  }
}
