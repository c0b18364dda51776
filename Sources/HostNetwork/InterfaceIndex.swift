// SPDX-License-Identifier: Apache-2.0

/// The kernel's number of an interface, unique within one network namespace.
package struct InterfaceIndex: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number as the kernel's interfaces take it.
  package let rawValue: Int32

  /// Wraps the kernel's number.
  package init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// The number in decimal.
  package var description: String { String(rawValue) }
}

/// Throws unless the kernel would accept `name`, and paths below /proc/sys can be made of it.
func checkInterfaceName(_ name: String) throws(HostNetworkError) {
  let bytes = name.utf8
  let isAccepted =
    1...15 ~= bytes.count && name != "." && name != ".."
    && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x2F && $0 != 0x3A }
    // "default" and "all" are settings for every interface below /proc/sys, and '%' is a pattern
    // for which the kernel would choose a number.
    && name != "all" && name != "default" && !name.contains("%")
  guard isAccepted else { throw .invalidInterfaceName(name: name) }
}

/// Throws unless `value` is accepted.
func checkRange(
  _ what: String, _ value: Int, _ accepted: ClosedRange<Int>
) throws(HostNetworkError) {
  guard accepted.contains(value) else {
    throw .outOfRange(what: what, value: value, accepted: accepted)
  }
}
