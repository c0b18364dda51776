// SPDX-License-Identifier: Apache-2.0

internal import Forwarding

/// A trace under way: the records so far, and the clock to place them in time.
struct TraceRecording {
  private let count: Int
  private let beginning: UInt64
  private let lostBefore: UInt64
  private var frames: [(ticks: UInt64, frame: TraceReport.Frame)] = []

  /// A trace of `count` frames that begins now, when the workers' clock says `ticks`.
  init(count: Int, ticks: UInt64, lostBefore: UInt64) {
    self.count = count
    beginning = ticks
    self.lostBefore = lostBefore
  }

  /// Whether there are as many frames as were asked for.
  var isComplete: Bool { frames.count >= count }

  /// Adds what a worker recorded.
  mutating func add(_ record: TraceRecord, names: TraceNames) {
    let story = TraceStory(record: record, names: names)
    frames.append((record.ticks, story.frame(milliseconds: 0)))
  }

  /// The first `count` frames in the order of time.
  ///
  /// The workers' clock ticks at a constant rate that nobody tells, so the trace measures it: it
  /// took `duration` until the clock said `ticks`. `lost` is the count of lost records by then.
  func report(ticks: UInt64, after duration: Duration, lost: UInt64) -> TraceReport {
    let passed = Double(ticks >= beginning ? ticks - beginning : 0)
    let perTick = passed > 0 ? duration / .milliseconds(1) / passed : 0
    // Each worker records as many as were asked for of all.
    let first = frames.enumerated().sorted {
      ($0.element.ticks, $0.offset) < ($1.element.ticks, $1.offset)
    }.prefix(count)
    let placed = first.map { entry in
      var frame = entry.element.frame
      let since = entry.element.ticks >= beginning ? entry.element.ticks - beginning : 0
      frame.milliseconds = (Double(since) * perTick * 1000).rounded() / 1000
      return frame
    }
    return TraceReport(frames: placed, lost: lost &- lostBefore)
  }
}

extension TraceNames {
  /// The port that a person calls `name`: by its interface, or by the namespace behind it as
  /// `weft ps` shows it or as a path.
  func port(named name: String) throws(RequestError) -> PortIndex {
    let exact = ports.filter { $0.value.interface == name }
    let matching =
      exact.isEmpty
      ? ports.filter { port in
        port.value.netns.map { $0 == name || ContainerNamespace.label($0) == name } ?? false
      } : exact
    if matching.count == 1, let port = matching.first?.key { return port }
    let all = ports.sorted { $0.key.number < $1.key.number }.map { text($0.key) }
    let shown = all.prefix(8).joined(separator: ", ")
    let mistake =
      matching.isEmpty ? "there is no port '\(name)'" : "'\(name)' has several ports"
    throw RequestError(
      mistake, field: "port",
      accepted: "one of the interfaces \(shown)\(all.count > 8 ? " and others" : "")")
  }
}
