// SPDX-License-Identifier: Apache-2.0

/// How a capture file is written: which byte comes first, and what its times count.
public struct PcapFormat: Sendable, Equatable {
  /// Which byte of a number comes first.
  public enum ByteOrder: Sendable, CaseIterable {
    /// The least significant.
    case little
    /// The most significant.
    case big
  }

  /// What the second word of a time counts.
  public enum Resolution: Sendable, CaseIterable {
    /// Microseconds.
    case micro
    /// Nanoseconds.
    case nano

    /// Nanoseconds in one of them.
    var nanoseconds: UInt64 { self == .micro ? 1000 : 1 }
    /// The file's first word.
    var magic: UInt32 { self == .micro ? 0xA1B2_C3D4 : 0xA1B2_3C4D }
  }

  /// Which byte comes first.
  public var order: ByteOrder
  /// What times count.
  public var resolution: Resolution

  /// Says how; nanoseconds with the least significant byte first unless told otherwise.
  public init(order: ByteOrder = .little, resolution: Resolution = .nano) {
    self.order = order
    self.resolution = resolution
  }

  /// The format that a file beginning with these four bytes has; nil if it is no capture file.
  init?(magic bytes: ArraySlice<UInt8>) {
    for order in ByteOrder.allCases {
      for resolution in Resolution.allCases where order.word(bytes) == resolution.magic {
        self.init(order: order, resolution: resolution)
        return
      }
    }
    return nil
  }

  /// Bytes before the first record.
  static var headerLength: Int { 24 }
  /// Bytes before each frame.
  static var recordHeaderLength: Int { 16 }
  /// The only major version there is of this format.
  static var version: UInt16 { 2 }
  /// `LINKTYPE_ETHERNET`.
  static var ethernet: UInt32 { 1 }
  /// The most a record may claim to hold; other programs do not write more.
  static var recordLengthMax: UInt32 { 262_144 }
}

extension PcapFormat.ByteOrder {
  /// The number in the first four of these bytes.
  func word(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let digits = bytes.prefix(4)
    return self == .big
      ? digits.reduce(0) { $0 << 8 | UInt32($1) }
      : digits.reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// The bytes of a number of `count` bytes.
  func bytes(_ number: UInt32, count: Int = 4) -> [UInt8] {
    let little = (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
    return self == .little ? little : little.reversed()
  }
}

/// One frame of a capture file.
public struct PcapRecord: Sendable, Equatable {
  /// When it was captured, in nanoseconds since 1970.
  public var nanoseconds: UInt64
  /// Its length on the wire; more than there are bytes if the capture cut it off.
  public var originalLength: UInt32
  /// Its bytes from the Ethernet header on.
  public var bytes: [UInt8]

  /// A whole frame, or the beginning of one of `originalLength` bytes.
  public init(nanoseconds: UInt64, bytes: [UInt8], originalLength: UInt32? = nil) {
    self.nanoseconds = nanoseconds
    self.originalLength = originalLength ?? UInt32(bytes.count)
    self.bytes = bytes
  }

  /// Whether the capture left its end out.
  public var isCut: Bool { originalLength > UInt32(bytes.count) }
}

/// What is wrong with a capture file, and where.
public struct PcapError: Error, Equatable, CustomStringConvertible {
  /// What is wrong.
  public enum Problem: Equatable, Sendable {
    /// The system refused a call with this number and text.
    case refused(call: String, number: Int32, text: String)
    /// It does not begin like a capture file.
    case notPcap(magic: UInt32)
    /// It is of the newer format with blocks.
    case pcapng
    /// A version of the format that nobody wrote.
    case version(UInt16)
    /// Its frames are not Ethernet's.
    case linkType(UInt32)
    /// The file ends in the middle of something.
    case truncated(missing: Int)
    /// A record claims more bytes than any program writes.
    case recordTooLong(UInt32)
  }

  /// The file.
  public let path: String
  /// Bytes from its beginning to what is wrong.
  public let offset: UInt64
  /// What is wrong.
  public let problem: Problem

  init(_ path: String, at offset: UInt64, _ problem: Problem) {
    self.path = path
    self.offset = offset
    self.problem = problem
  }

  /// One sentence: where, what, and what is accepted.
  public var description: String { "\(path): at byte \(offset): \(sentence)" }

  private var sentence: String {
    switch problem {
    case .refused(let call, _, let text): "\(call) failed: \(text)"
    case .notPcap(let magic):
      "begins with 0x\(String(magic, radix: 16)), which is no pcap file; write one with tcpdump -w"
    case .pcapng: "is a pcapng file; convert it with editcap -F nsecpcap IN OUT"
    case .version(let number): "has version \(number) of the format; accepted: 2"
    case .linkType(let number):
      "has link type \(number); accepted: 1, Ethernet without check sequence"
    case .truncated(let missing): "ends \(missing) bytes too early; capture or copy it again"
    case .recordTooLong(let length):
      "a record claims \(length) bytes; accepted: at most \(PcapFormat.recordLengthMax)"
    }
  }
}
