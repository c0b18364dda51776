// SPDX-License-Identifier: Apache-2.0

/// All that there is to know of a key but its secrets, in one word; zero is no key.
struct KeyAttributes: BitwiseCopyable, Equatable {
  let bits: UInt64

  /// No key.
  static let none = KeyAttributes(bits: 0)

  private static let useBit: UInt64 = 1
  private static let sealingBit: UInt64 = 1 << 1
  private static let espBit: UInt64 = 1 << 2
  private static let suiteShift: UInt64 = 4
  private static let identifierShift: UInt64 = 32

  @inline(__always)
  init(bits: UInt64) { self.bits = bits }

  init(_ key: FrameKey) {
    let mask = key.layout == .esp ? UInt64(UInt32.max) : PacketLayout.identifierMask
    bits =
      KeyAttributes.useBit
      | (key.isSealing ? KeyAttributes.sealingBit : 0)
      | (key.layout == .esp ? KeyAttributes.espBit : 0)
      | UInt64(key.suite.rawValue) << KeyAttributes.suiteShift
      | (UInt64(key.identifier) & mask) << KeyAttributes.identifierShift
  }

  @inline(__always)
  var isInUse: Bool { bits & KeyAttributes.useBit != 0 }

  /// Whether there is a key, for what we send.
  @inline(__always)
  var seals: Bool {
    let both = KeyAttributes.useBit | KeyAttributes.sealingBit
    return bits & both == both
  }

  /// Whether there is a key, for what the other end sends.
  @inline(__always)
  var opens: Bool { isInUse && bits & KeyAttributes.sealingBit == 0 }

  @inline(__always)
  var isESP: Bool { bits & KeyAttributes.espBit != 0 }

  @inline(__always)
  var suite: CipherSuite {
    switch bits >> KeyAttributes.suiteShift & 3 {
    case 0: .secretbox
    case 1: .aes256gcm
    default: .chacha20poly1305
    }
  }

  @inline(__always)
  var isSecretbox: Bool { bits >> KeyAttributes.suiteShift & 3 == 0 }

  /// ESP's SPI, or what bits 56 to 62 of the numbers of sleeve's datagrams are.
  @inline(__always)
  var identifier: UInt32 { UInt32(truncatingIfNeeded: bits >> KeyAttributes.identifierShift) }

  /// Bytes of a packet around its text.
  @inline(__always)
  var overhead: Int { isESP ? PacketLayout.espOverhead : PacketLayout.sleeveOverhead }

  /// The first number that is not given out.
  @inline(__always)
  var numberLimit: UInt64 {
    isESP || isSecretbox ? SharedReplayWindow.numberLimit : PacketLayout.countLimit
  }
}

/// Where the parts of sealed packets are.
enum PacketLayout {
  /// Bytes of the name that a datagram of sleeve begins with.
  static let nameLength = 6
  /// Where its number is.
  static let numberOffset = 6
  /// Where its tag is.
  static let tagOffset = 14
  /// Bytes before its text.
  static let sleeveOverhead = 30
  /// Set in its number if the underlay must not fragment it.
  static let unfragmentableBit: UInt64 = 1 << 63
  /// Where the identifier begins in its number; not with secretbox.
  static let identifierShift: UInt64 = 56
  /// Bits of the identifier.
  static let identifierMask: UInt64 = 0x7F
  /// Bits of the count in its number; not with secretbox.
  static let countMask: UInt64 = 1 << 56 - 1
  /// The first count that is not given out, so far from the end that threads that ask for more
  /// never get there.
  static let countLimit: UInt64 = 1 << 56 - 1 << 32

  /// Where the low half of ESP's number is.
  static let lowHalfOffset = 4
  /// Where ESP's IV is.
  static let vectorOffset = 8
  /// Where ESP's text is.
  static let espTextOffset = 16
  /// Bytes before ESP's text and, the tag, behind it.
  static let espOverhead = 32

  /// Bytes of a tag.
  static let tagLength = 16
}
