// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Tables
internal import XDP

/// Tries the modes in which a port's program can run, with test frames from the pair's other end.
///
/// It has a program and sockets of its own, so that nothing of it reaches a worker or the port's
/// counters. Its frames are bounded in number, and so is the time it waits for them.
struct ModeTrial: ~Copyable {
  /// Frames handed to the kernel in one call.
  static let burstCount = 32
  /// Short frames, and the longest the pair takes.
  static let lengthCount = 2
  /// How often the modes alternate, with a burst of each length twice each time.
  static let roundCount = 3
  /// How long frames are waited for that do not arrive at once, as they do on an idle machine.
  static let patienceMilliseconds = 250
  /// How long that may be in all.
  static let wholePatienceMilliseconds = 1000

  private let specification: PortSpecification
  private let test: SelfTest
  /// The mode that was cheaper at another port.
  private let preferred: AttachMode?
  private let program: XDPProgram
  private let receiver: TrialReceiver
  private var frames: [TestFrames]
  /// The mode in which the program is on the interface now.
  private var attached: AttachMode?
  /// Whether both ends are up, by us.
  private var isBegun = false
  private var patienceLeft = ModeTrial.wholePatienceMilliseconds
  private(set) var comparison = ModeComparison()

  init(
    _ specification: PortSpecification, _ test: SelfTest, frameLengthMax: Int,
    preferred: AttachMode?
  ) throws(DataplaneError) {
    let program = try ModeTrial.loadedProgram()
    let longest = min(test.frameLengthMax, specification.frameLengthMax, frameLengthMax)
    let receiver = try ModeTrial.receiver(specification, frameLengthMax: longest)
    do { try receiver.join(program) } catch { throw .program(error) }
    let long = max(longest, TestFrames.lengthMin)
    frames = [TestFrames.lengthMin, long].map { TestFrames(test, length: $0) }
    self.specification = specification
    self.test = test
    self.preferred = preferred
    self.program = program
    self.receiver = receiver
  }

  private static func loadedProgram() throws(DataplaneError) -> XDPProgram {
    do { return try XDPProgram(.port) } catch { throw .program(error) }
  }

  private static func receiver(
    _ specification: PortSpecification, frameLengthMax: Int
  ) throws(DataplaneError) -> TrialReceiver {
    let length = TrialReceiver.memoryLength(
      queueCount: specification.queueCount, frameLengthMax: frameLengthMax)
    let memory: MappedMemory
    do { memory = try MappedMemory(length: length, name: "weft-trial") } catch {
      throw .memory(error)
    }
    do throws(XDPError) {
      return try bind(UMEM(memory: memory), specification)
    } catch {
      throw .socket(error)
    }
  }

  /// Waits for queues whose last sockets were closed only just now, as the real bind does.
  private static func bind(
    _ umem: UMEM, _ specification: PortSpecification
  ) throws(XDPError) -> TrialReceiver {
    var patience = specification.busyPatienceMilliseconds
    while true {
      do throws(XDPError) {
        return try TrialReceiver(
          umem: umem, interface: specification.interface, queueCount: specification.queueCount)
      } catch {
        guard error.number == EBUSY, patience > 0 else { throw error }
        patience -= 5
        usleep(5000)
      }
    }
  }

  /// Tries what the specification leaves open and gives the mode to use.
  ///
  /// Whatever it gives or throws, its sockets are closed. Unless it throws, a program of ours is on
  /// the interface, which drops all frames until the port's own replaces it, or both ends are as
  /// they were before.
  mutating func run() throws(DataplaneError) -> SettledMode {
    defer { receiver.close() }
    do throws(DataplaneError) {
      try measure()
      guard let mode = comparison.choice else {
        throw .noModeCarries(interface: specification.interface, failures: comparison.failures)
      }
      return SettledMode(
        request: mode == .native ? .native : .generic,
        reason: comparison.reason(for: mode, ground: ground(for: mode)))
    } catch {
      if attached != nil {
        _ = try? Attachment.detachOwn(interfaceIndex: specification.interfaceIndex)
      }
      throw error
    }
  }

  /// What was known of the mode before the test.
  private func ground(for mode: AttachMode) -> String? {
    if specification.attach != .automatic { return "asked for" }
    return mode == preferred ? "the cheaper at the first port" : nil
  }

  /// The modes to try, in this order.
  private var modes: [AttachMode] {
    switch specification.attach {
    case .automatic: preferred == .generic ? [.generic, .native] : [.native, .generic]
    case .native: [.native]
    case .generic: [.generic]
    }
  }

  /// Each mode once, and those that carry frames some more for their cost if there is a choice; of
  /// the preferred mode only whether it carries frames.
  private mutating func measure() throws(DataplaneError) {
    // The program is there before the first frame of the other end can be.
    for mode in modes where attached == nil { try attach(mode) }
    guard attached != nil else { return }
    defer { end() }
    for mode in modes {
      try sendBursts(in: mode)
      if mode == preferred, comparison[mode]?.carries == true { return }
    }
    guard modes.allSatisfy({ comparison[$0]?.carries == true }), modes.count > 1 else { return }
    for _ in 0..<ModeTrial.roundCount {
      for mode in modes {
        try sendBursts(in: mode)
        try sendBursts(in: mode)
      }
    }
  }

  private mutating func begin() throws(DataplaneError) {
    guard !isBegun else { return }
    isBegun = true
    do { try test.begin() } catch {
      throw .selfTest(interface: specification.interface, trouble: error.text)
    }
  }

  private mutating func end() {
    guard isBegun else { return }
    isBegun = false
    test.end()
  }

  /// Puts the program on the interface in this mode; a refusal is noted.
  ///
  /// From one mode to the other the interface has no program for a moment: its ends are down then,
  /// so that the host takes nothing meanwhile.
  private mutating func attach(_ mode: AttachMode) throws(DataplaneError) {
    guard attached != mode, comparison[mode]?.refusal == nil else { return }
    end()
    do throws(AttachError) {
      _ = try program.attach(
        interfaceIndex: specification.interfaceIndex,
        requested: mode == .native ? .native : .generic, lifetime: .withDevice)
      attached = mode
    } catch .refused(_, _, _, let errno, let detail) {
      // The one in the other mode went first.
      attached = nil
      var findings = comparison[mode] ?? ModeFindings()
      findings.refusal = AttachError.reason(errno, detail)
      comparison[mode] = findings
    } catch {
      throw .attach(error)
    }
  }

  /// One burst of each length, until one fails; notes what arrived and the least that it cost.
  private mutating func sendBursts(in mode: AttachMode) throws(DataplaneError) {
    try attach(mode)
    guard attached == mode else { return }
    try begin()
    var findings = comparison[mode] ?? ModeFindings()
    defer { comparison[mode] = findings }
    for index in frames.indices where findings.sentCount == 0 || findings.carries {
      let burst = frames[index].next(ModeTrial.burstCount)
      let sent: SentBurst
      do { sent = try test.send(burst, frames[index].length) } catch {
        throw .selfTest(interface: specification.interface, trouble: error.text)
      }
      let arrived = awaitArrival(of: sent.count, index)
      findings.sentCount += sent.count
      findings.arrivedCount += arrived
      // A burst that was cut short tells nothing of the cost.
      guard arrived == ModeTrial.burstCount else { continue }
      findings.note(nanoseconds: Int(sent.nanoseconds) / arrived, lengthIndex: index)
    }
  }

  /// Takes what arrives until all of a burst is there, or none of the rest comes any more.
  private mutating func awaitArrival(of count: Int, _ index: Int) -> Int {
    var waits = min(ModeTrial.patienceMilliseconds, patienceLeft)
    while true {
      for frame in receiver.take() { frames[index].note(frame) }
      guard frames[index].arrivedCount < count, waits > 0 else { break }
      usleep(1000)
      waits -= 1
      patienceLeft -= 1
    }
    return frames[index].arrivedCount
  }
}
