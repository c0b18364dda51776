// SPDX-License-Identifier: Apache-2.0

package import Forwarding
package import HostNetwork
package import Inet
package import Sealing

/// What decides in which mode a port's program runs, unless the configuration does.
package enum PortModeSource: Sendable {
  /// What the driver can; nothing is tested.
  case driver
  /// The program that is there: others' frames may be under way, so nothing may be tested.
  case present
  /// Test frames from the other end of the port's pair, told from others by a cookie.
  case tested(TestFrameSender, cookie: UInt64)
}

/// A port the control plane asks the data plane to open.
package struct PortRequest: Sendable {
  /// The index everybody will know it by.
  package var port: PortIndex
  /// Whether it is the outer network.
  package var isUnderlay: Bool
  /// The interface whose queues are bound.
  package var interface: String
  /// Its index.
  package var interfaceIndex: UInt32
  /// Its receive queues.
  package var queueCount: Int
  /// The longest frame it carries, in bytes with the Ethernet header.
  package var frameLengthMax: Int
  /// Where outer packets for us arrive: addresses with their UDP ports.
  package var overlayAddresses: [SocketAddress]
  /// Which ESP packets are for us.
  package var securityIdentifiers: Set<SecurityIdentifier> = []
  /// What decides in which mode its program runs.
  package var modeSource = PortModeSource.driver
  /// Whether the last try failed as well: then queues that are in use are not waited for so long.
  package var isRetry = false
}

/// How ESP packets for us are told from others on the underlay.
package struct SecurityIdentifier: Hashable, Sendable {
  /// The address they are sent to.
  package var address: IPv4Address
  /// Their SPI.
  package var number: UInt32

  package init(address: IPv4Address, number: UInt32) {
    self.address = address
    self.number = number
  }
}

/// The kernel's UDP sockets, as a port of the underlay.
package struct SocketPortRequest: Sendable {
  /// The index everybody will know it by.
  package var port: PortIndex
  /// The address to bind; 0.0.0.0: all.
  package var address: IPv4Address
  /// UDP ports; from the first of them goes what names none of them as its source.
  package var udpPorts: [UInt16]
}

/// What the data plane knows of an open port.
package struct PortStatus: Sendable, Equatable {
  /// How its program is attached, and why so.
  package var mode: ProgramMode
  package var reason: String
  /// The kernel's number of the program.
  package var programIdentifier: UInt32
  package var zeroCopy: Bool
  package var queueCount: Int
  /// In the order of `PortCounter`.
  package var counters: [UInt64]
  package var kernelDrops: KernelDropReport
  /// What is done to its frames on purpose; nil if nothing.
  package var faults: FaultSettings?

  package init(
    mode: ProgramMode, reason: String, programIdentifier: UInt32, zeroCopy: Bool,
    queueCount: Int, counters: [UInt64], kernelDrops: KernelDropReport,
    faults: FaultSettings? = nil
  ) {
    self.mode = mode
    self.reason = reason
    self.programIdentifier = programIdentifier
    self.zeroCopy = zeroCopy
    self.queueCount = queueCount
    self.counters = counters
    self.kernelDrops = kernelDrops
    self.faults = faults
  }
}

/// What the data plane knows of a worker.
package struct WorkerStatus: Sendable, Equatable {
  package var core: Int
  /// In the order of `WorkerCounter`, then drops.
  package var counters: [UInt64]
  package var frameCount: Int
  package var isSpinning: Bool
  /// Whether it sleeps until something arrives.
  package var isSleeping: Bool
  /// The clock that `busyTicks` is counted with, now.
  package var ticks: UInt64

  package init(
    core: Int, counters: [UInt64], frameCount: Int, isSpinning: Bool, isSleeping: Bool,
    ticks: UInt64
  ) {
    self.core = core
    self.counters = counters
    self.frameCount = frameCount
    self.isSpinning = isSpinning
    self.isSleeping = isSleeping
    self.ticks = ticks
  }
}

/// The data plane refused something; the text says what to do.
package struct EngineFailure: Error, Equatable, CustomStringConvertible {
  package let description: String
  /// Whether a program may have been attached before it failed, which resets some cards.
  package let mayFollowAttach: Bool

  package init(_ description: String, mayFollowAttach: Bool = false) {
    self.description = description
    self.mayFollowAttach = mayFollowAttach
  }
}

/// The data plane, as the control plane knows it.
///
/// Calls block for as long as workers need to answer.
package protocol ForwardingEngine: Sendable {
  /// Readable after new hints; `clearHintEvent()` before taking them.
  var hintEvent: Int32 { get }
  /// Workers, and so the queues of an interface that we make.
  var workerCount: Int { get }
  /// The longest frame the data plane can hold.
  var frameLengthMax: Int { get }

  func clearHintEvent()
  func takeHints(_ body: (Hint) -> Void)
  /// Takes every report of frames that neighbours sent for the control plane.
  func takeControlFrames(_ body: (ControlFrame) -> Void)
  /// Has frames sent over links to neighbours, in order; false if too many wait to be sent.
  func order(_ orders: [ControlOrder]) -> Bool
  /// Keeps a key; nil if there are too many.
  func addKey(_ key: FrameKey) -> UInt16?
  /// Forgets a key that no snapshot in use names any more.
  func removeKey(_ place: UInt16)
  /// What was done with a key.
  func counts(ofKey place: UInt16) -> KeyCounts
  func openPort(_ request: PortRequest) throws(EngineFailure)
  func openSockets(_ request: SocketPortRequest) throws(EngineFailure)
  /// Has an open port of sockets receive from one more UDP port, or from one less.
  func addUDPPort(_ udpPort: UInt16, port: PortIndex) throws(EngineFailure)
  func removeUDPPort(_ udpPort: UInt16, port: PortIndex) throws(EngineFailure)
  /// Gives what could not be done; all the rest was. A container's port drops all frames from then
  /// on if `keepsProgram`.
  func closePort(_ port: PortIndex, keepsProgram: Bool) -> [EngineFailure]
  func setOverlayAddresses(_ addresses: [SocketAddress], port: PortIndex) throws(EngineFailure)
  /// Says which ESP packets are for us, instead of those before.
  func setSecurityIdentifiers(
    _ identifiers: Set<SecurityIdentifier>, port: PortIndex
  ) throws(EngineFailure)
  /// Makes an open port bad on purpose, or good again with nil.
  func setFaults(_ settings: FaultSettings?, port: PortIndex) throws(EngineFailure)
  func status(of port: PortIndex) -> PortStatus?
  func workers() -> [WorkerStatus]
  /// What it holds and may hold.
  func budget() -> BudgetReport
  /// The clock of `TraceRecord.ticks`, now.
  var ticks: UInt64 { get }
  /// Has every worker record the next `count` frames that pass `filter`, 1 to 1000.
  func startTrace(_ filter: TraceFilter, count: Int) throws(EngineFailure)
  /// Takes every record there is.
  func takeTrace(_ body: (TraceRecord) -> Void)
  /// Records lost since the start, because nobody took those before.
  var traceLostCount: UInt64 { get }
  func stopTrace()
  /// Ends the data plane. Containers' ports keep dropping if `keepsPrograms`, until a successor
  /// takes them over. Gives what could not be done; all the rest was.
  func stop(keepsPrograms: Bool) -> [EngineFailure]
}
