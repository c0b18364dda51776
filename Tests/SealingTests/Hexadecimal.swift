// SPDX-License-Identifier: Apache-2.0

/// The bytes of hexadecimal text; blanks do not count.
func bytes(_ text: String) -> [UInt8] {
  let digits = text.filter { $0 != " " }.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map { index in
    UInt8(digits[index] * 16 + digits[index + 1])
  }
}
