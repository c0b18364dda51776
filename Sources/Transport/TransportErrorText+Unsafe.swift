// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// The C library's text of an errno number.
///
/// Proof of safety: the function writes into the buffer, with its length, and ends what it writes
/// with a zero.
func systemErrorText(_ number: Int32) -> String {
  var text = [CChar](repeating: 0, count: 128)
  unsafe text.withUnsafeMutableBufferPointer { buffer in
    if let base = buffer.baseAddress { unsafe clinux_error_text(number, base, buffer.count) }
  }
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
