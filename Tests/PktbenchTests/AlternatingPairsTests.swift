// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import pktbench

@Suite("Alternating pairs")
struct AlternatingPairsTests {
  private static let subject = AlternatingPairs.Subject(
    name: "encap", size: 64, entries: nil, against: "kernel-vxlan")

  @Test("the sides take turns in going first")
  func theSidesTakeTurns() throws {
    var order = ""
    _ = try AlternatingPairs(subject: Self.subject, count: 3).measure(in: ScenarioRun()) {
      order += "o"
      return Sample(frames: 2, seconds: 1)
    } theirs: {
      order += "t"
      return Sample(frames: 1, seconds: 1)
    }
    #expect(order == "ottoot")
  }

  @Test("the ratio is the median of ratios within pairs, not of rates")
  func theRatioIsTheMedianOfRatios() throws {
    // The machine becomes ten times as fast in the middle; the ratios are 2, 4 and 3.
    var ours = [20, 400, 30].makeIterator()
    var theirs = [10, 100, 10].makeIterator()
    let measure = try AlternatingPairs(subject: Self.subject, count: 3).measure(
      in: ScenarioRun()
    ) {
      Sample(
        frames: ours.next() ?? 0, seconds: 2, cpuSeconds: 4, idleShare: 0.25, lost: 1)
    } theirs: {
      Sample(frames: theirs.next() ?? 0, seconds: 2, cpuSeconds: 2, lost: 7)
    }
    #expect(measure.ratio == .init(median: 3, min: 2, max: 4, pairs: 3))
    #expect(measure.ours == 15 && measure.theirs == 5)
    #expect(measure.perCPUSecond == .init(ours: 7.5, theirs: 5))
    #expect(measure.idleBreaths == 0.25)
    #expect(measure.lost == 3 + 3 * 7, "of both sides")
    #expect(measure.unit == "frames/s" && measure.against == "kernel-vxlan")
    #expect(measure.range == nil)
  }

  @Test("of times the smaller one is the better, and the measure says so")
  func ofTimesTheSmallerIsBetter() throws {
    var subject = Self.subject
    subject.unit = .microseconds
    let sample = { (time: Double) in
      var sample = Sample(frames: 1, seconds: 1)
      sample.value = time
      return sample
    }
    let measure = try AlternatingPairs(subject: subject, count: 1).measure(in: ScenarioRun()) {
      sample(200)
    } theirs: {
      sample(100)
    }
    #expect(measure.ours == 200 && measure.theirs == 100 && measure.unit == "µs")
    #expect(measure.ratio?.median == 0.5)
    #expect(measure.isLessBetter == true)
  }

  @Test("time of the forwarder is for each frame")
  func timeOfTheForwarderIsForEachFrame() throws {
    let measure = try AlternatingPairs(subject: Self.subject, count: 1).measure(
      in: ScenarioRun()
    ) {
      var sample = Sample(frames: 1000, seconds: 1)
      sample.busySeconds = 0.0005
      return sample
    } theirs: {
      Sample(frames: 1000, seconds: 1)
    }
    #expect(measure.forwarderTime == .init(ours: 500, theirs: nil))
    #expect(measure.isLessBetter == nil)
  }

  @Test("times are shown as times, and the ratio is still of rates")
  func timesAreShownAsTimes() throws {
    var subject = Self.subject
    subject.size = nil
    subject.unit = .nanosecondsPerKey
    let measure = try AlternatingPairs(subject: subject, count: 1).measure(in: ScenarioRun()) {
      Sample(frames: 1_000_000, seconds: 0.002)
    } theirs: {
      Sample(frames: 1_000_000, seconds: 0.006)
    }
    #expect(measure.ours == 2 && measure.theirs == 6 && measure.unit == "ns/key")
    #expect(measure.ratio?.median == 3)
    #expect(measure.size == nil)
  }

  @Test("ours alone has a range instead of a ratio")
  func oursAloneHasARange() throws {
    var frames = [1, 3, 2].makeIterator()
    var subject = Self.subject
    subject.against = nil
    let measure = try AlternatingPairs(subject: subject, count: 3).measure(
      in: ScenarioRun(), ours: { Sample(frames: frames.next() ?? 0, seconds: 1) })
    #expect(measure.ours == 2 && measure.theirs == nil && measure.ratio == nil)
    #expect(measure.range == .init(min: 1, max: 3, rounds: 3))
    #expect(measure.perCPUSecond == nil)
  }

  @Test("a side that moves nothing is an error that names it", arguments: [true, false])
  func aSideThatMovesNothingIsAnError(isOurs: Bool) {
    #expect {
      _ = try AlternatingPairs(subject: Self.subject, count: 1).measure(in: ScenarioRun()) {
        Sample(frames: isOurs ? 0 : 1, seconds: 1)
      } theirs: {
        Sample(frames: isOurs ? 1 : 0, seconds: 1)
      }
    } throws: { error in
      let side = isOurs ? "ours" : "kernel-vxlan"
      return (error as? ScenarioError)?.description.contains("\(side) moved no frame") == true
    }
  }

  @Test("samples of no duration have no rate")
  func samplesOfNoDurationHaveNoRate() {
    #expect(Sample(frames: 1, seconds: 0).rate == 0)
    #expect(Sample(frames: 1, seconds: 1, cpuSeconds: 0).perCPUSecond == nil)
  }

  @Test("an interruption ends it before the next sample")
  func anInterruptionEndsIt() {
    let run = ScenarioRun()
    var count = 0
    #expect(throws: Interruption.error) {
      _ = try AlternatingPairs(subject: Self.subject, count: 5).measure(in: run) {
        count += 1
        run.interruption.request()
        return Sample(frames: 1, seconds: 1)
      } theirs: {
        count += 1
        return Sample(frames: 1, seconds: 1)
      }
    }
    #expect(count == 1)
  }

  @Test("progress says what is measured and how far it is")
  func progressSaysWhatIsMeasured() throws {
    let lines = Mutex<[String]>([])
    let run = ScenarioRun { line in lines.withLock { $0.append(line) } }
    _ = try AlternatingPairs(subject: Self.subject, count: 2).measure(in: run) {
      Sample(frames: 1, seconds: 1)
    } theirs: {
      Sample(frames: 1, seconds: 1)
    }
    #expect(
      lines.withLock { $0 } == [
        "encap, 64 bytes, against kernel-vxlan: pair 1 of 2",
        "encap, 64 bytes, against kernel-vxlan: pair 2 of 2",
      ])
  }
}

@Suite("Runs of scenarios")
struct ScenarioRunTests {
  @Test("what was made last is taken down first, each thing once")
  func whatWasMadeLastIsTakenDownFirst() {
    let order = Mutex<[Int]>([])
    let run = ScenarioRun()
    for number in 0..<3 { run.atEnd { order.withLock { $0.append(number) } } }
    run.cleanUps.run()
    run.cleanUps.run()
    #expect(order.withLock { $0 } == [2, 1, 0])
  }

  @Test("an interruption ends every wait, also later ones")
  func anInterruptionEndsEveryWait() {
    let run = ScenarioRun()
    #expect(throws: Never.self) {
      try run.check()
      try run.wait(seconds: 0.001)
    }
    #expect(run.interruption.request() == false)
    #expect(run.interruption.request() == true)
    for _ in 0..<3 {
      #expect(throws: Interruption.error) { try run.wait(seconds: 3600) }
    }
    #expect(throws: Interruption.error) { try run.check() }
  }
}
