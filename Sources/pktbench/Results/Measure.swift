// SPDX-License-Identifier: Apache-2.0

/// One line of a result: what ours does beside a competitor, or alone, at one size.
///
/// Every scenario reports in this form. What does not apply to a measure is nil, and its key is
/// then absent from the JSON, never null.
struct Measure: Codable, Equatable, Sendable {
  /// What the figures of pairs are.
  enum Unit: String, Sendable {
    case framesPerSecond = "frames/s"
    case bytesPerSecond = "bytes/s"
    case microseconds = "µs"
    case nanosecondsPerFrame = "ns/frame"
    case nanosecondsPerKey = "ns/key"
    case nanosecondsPerChange = "ns/change"

    /// Whether the smaller figure is the better one, as of times.
    var isLessBetter: Bool {
      switch self {
      case .framesPerSecond, .bytesPerSecond: false
      case .microseconds, .nanosecondsPerFrame, .nanosecondsPerKey, .nanosecondsPerChange: true
      }
    }

    /// A sample's figure: its own value if it has one, otherwise what follows from its rate.
    func figure(of sample: Sample) -> Double {
      sample.value ?? (isLessBetter ? 1e9 / sample.rate : sample.rate)
    }

    /// How many times as good ours is.
    func ratio(of ours: Sample, to theirs: Sample) -> Double {
      isLessBetter
        ? figure(of: theirs) / figure(of: ours) : figure(of: ours) / figure(of: theirs)
    }
  }

  /// A figure of each side.
  struct Sides: Codable, Equatable, Sendable {
    var ours: Double
    var theirs: Double?
  }

  /// Ours over theirs, pair by pair; of times the other way round, so that more is always better.
  struct Ratio: Codable, Equatable, Sendable {
    var median: Double
    var min: Double
    var max: Double
    /// Pairs measured in turn.
    var pairs: Int
  }

  /// How far ours was apart in the rounds of a measure without a competitor.
  struct Range: Codable, Equatable, Sendable {
    var min: Double
    var max: Double
    var rounds: Int
  }

  /// What was measured, like `encap` or `pipeline.stage.lookup`.
  var name: String
  /// Bytes of a frame, without its frame check sequence; nil where there are no frames.
  var size: Int?
  /// Entries of the forwarding table; nil where it does not matter.
  var entries: Int?
  /// Packets that are dealt with together; nil where it does not matter.
  var batch: Int?
  /// Peers that packets go to in turn; nil where it does not matter.
  var peers: Int?
  /// The competitor's name; nil if ours was measured alone.
  var against: String?
  /// The median of ours, in `unit`.
  var ours: Double
  /// The median of theirs, in `unit`.
  var theirs: Double?
  /// What the figures count, like `frames/s` or `ns/frame`.
  var unit: String
  /// True if the smaller figure is the better one, as of times; otherwise nil.
  ///
  /// The ratio is then theirs over ours.
  var isLessBetter: Bool?
  /// Frames for each second of processor time, all cores and interrupts included.
  var perCPUSecond: Sides?
  /// Nanoseconds of the forwarding core for each frame, its waiting left out; nil if neither side
  /// tells.
  var forwarderTime: Sides?
  /// The share of our worker's breaths that found nothing, from 0 to 1.
  ///
  /// Above 0.05 the generator was the limit, and the ratio is a lower bound.
  var idleBreaths: Double?
  /// How ours compares; nil if it was measured alone.
  var ratio: Ratio?
  /// How steady ours was; nil beside a competitor, where `ratio` says it.
  var range: Range?
  /// Frames of either side that nobody can account for, or that were counted twice, summed over all
  /// rounds; 0 in every valid run.
  var lost: Int

  enum CodingKeys: String, CodingKey {
    case name, size, entries, batch, peers, against, ours, theirs, unit
    case isLessBetter = "less_is_better"
    case perCPUSecond = "per_cpu_second"
    case forwarderTime = "forwarder_ns_per_frame"
    case idleBreaths = "idle_breaths"
    case ratio, range, lost
  }

  /// Gathers the figures of a measure; the others can be set afterwards.
  init(name: String, size: Int?, ours: Double, unit: String, lost: Int) {
    self.name = name
    self.size = size
    self.ours = ours
    self.unit = unit
    self.lost = lost
  }
}
