// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Glibc
internal import Synchronization
internal import Tables
internal import Telemetry
public import XDP

/// A port to be opened.
public struct PortSpecification: Sendable {
  /// The index everybody knows it by.
  public var port: PortIndex
  /// What it is to the switch.
  public var kind: PortKind
  /// The interface whose queues are bound, in this process's network namespace.
  public var interface: String
  /// Its index.
  public var interfaceIndex: UInt32
  /// Its queues; every one is bound.
  public var queueCount: Int
  /// The longest frame it carries, in bytes with the Ethernet header.
  public var frameLengthMax: Int
  /// How its program is attached.
  public var attach: AttachRequest
  /// How the mode is found if `attach` is automatic, and whether test frames are to come through.
  public var modeSource = ModeSource.driver
  /// Where outer packets for us arrive; for the underlay.
  public var overlayAddresses: [OverlayAddress]
  /// Whose ESP packets are for us, from the first frame on; for the underlay.
  public var securityAssociations: Set<SecurityAssociation>
  /// How long a queue is waited for that another socket has, which the kernel may be freeing.
  public var busyPatienceMilliseconds = 2000

  /// Gathers what a port is.
  public init(
    port: PortIndex, kind: PortKind, interface: String, interfaceIndex: UInt32, queueCount: Int,
    frameLengthMax: Int, attach: AttachRequest, overlayAddresses: [OverlayAddress] = [],
    securityAssociations: Set<SecurityAssociation> = []
  ) {
    self.port = port
    self.kind = kind
    self.interface = interface
    self.interfaceIndex = interfaceIndex
    self.queueCount = queueCount
    self.frameLengthMax = frameLengthMax
    self.attach = attach
    self.overlayAddresses = overlayAddresses
    self.securityAssociations = securityAssociations
  }
}

/// What is known of an open port.
public struct PortState: Sendable, Equatable {
  /// How its frames come to us.
  public var mode: PortMode
  /// Why so, in a sentence.
  public var reason: String
  /// The kernel's number of the program; 0 if it has none.
  public var programIdentifier: UInt32
  /// Whether the driver reads and writes frames in place.
  public var zeroCopy: Bool
  /// Whether frames may have several pieces, and so be longer than a chunk.
  public var isMultiPiece: Bool
  /// Queues bound.
  public var queueCount: Int
  /// `PortCounter`s, summed over queues.
  public var counters: [UInt64]
  /// The kernel's counters, summed over queues.
  public var statistics: PacketSocket.Statistics
  /// Frames the program dropped because no socket was there.
  public var missed: UInt64
  /// What is done to its frames on purpose; nil if nothing.
  public var faults: FaultSettings?
}

/// The engine's record of an open port.
final class OpenPort: Sendable {
  struct Queue: Sendable {
    let number: UInt32
    let worker: Int
    let slot: UInt16
    let socket: QueueSocket
  }

  let specification: PortSpecification
  /// Its XDP program; nil if it is a port of UDP sockets.
  let program: PortProgram?
  let queues: [Queue]
  let faults = Mutex<FaultSettings?>(nil)

  init(
    specification: PortSpecification, program: PortProgram?, queues: [Queue]
  ) {
    // A test's sender has sockets in a container's namespace, which would outlive the container.
    var specification = specification
    specification.modeSource = .driver
    self.specification = specification
    self.program = program
    self.queues = queues
  }
}

extension Engine {
  /// Opens a port: program, a socket on every queue, served by the workers when this returns.
  ///
  /// If any step fails nothing is left behind, but for a station's program: it drops all frames, so
  /// that the host does not take them, until the port is opened again or its interface deleted.
  public func openPort(_ specification: PortSpecification) throws(DataplaneError) {
    closeAbandoned()
    if let silent = abandoned.withLock({ $0.first?.worker }) { throw .workerSilent(silent) }
    try requireChunks(for: specification)
    let settled = try settledMode(of: specification)
    let kind: ProgramKind = specification.kind == .underlay ? .underlay : .port
    let program: XDPProgram
    do { program = try XDPProgram(kind) } catch { throw .program(error) }
    if kind == .underlay { try tell(program, specification) }
    let attachment = try AttachmentHolder(program, specification, settled)
    var queues: [OpenPort.Queue] = []
    do throws(DataplaneError) {
      for queue in 0..<specification.queueCount {
        queues.append(try openQueue(UInt32(queue), specification, program))
      }
      try startHandingOver(specification)
    } catch {
      _ = stopHandingOver(specification)
      // What cannot be closed now is abandoned; the reason for all of it is `error`.
      for queue in 0..<specification.queueCount { try? program.removeSocket(queue: UInt32(queue)) }
      _ = closeAll(queues)
      if kind == .underlay { _ = attachment.detach() }
      throw error
    }
    let open = OpenPort(
      specification: specification,
      program: PortProgram(program: program, attachment: attachment), queues: queues)
    ports.withLock { $0[specification.port] = open }
  }

  /// Closes a port and takes every frame back.
  ///
  /// Its interface is left without a program, unless it is a station's and `keepsProgram`. Gives
  /// what could not be done; all the rest was.
  @discardableResult
  public func closePort(_ port: PortIndex, keepsProgram: Bool = false) -> [DataplaneError] {
    closeAbandoned()
    guard let open = ports.withLock({ $0.removeValue(forKey: port) }) else { return [] }
    var errors = stopHandingOver(open.specification)
    for queue in open.queues {
      do { try open.program?.program.removeSocket(queue: queue.number) } catch {
        errors.append(.program(error))
      }
    }
    errors += closeAll(open.queues)
    if !keepsProgram || open.specification.kind == .underlay {
      if let error = open.program?.attachment.detach() { errors.append(error) }
    }
    return errors
  }

  /// What is known of a port; nil if it is not open.
  public func state(of port: PortIndex) -> PortState? {
    guard let open = ports.withLock({ $0[port] }) else { return nil }
    var state = PortState(
      mode: open.mode, reason: open.reason,
      programIdentifier: open.program?.attachment.programIdentifier ?? 0,
      zeroCopy: open.queues.allSatisfy(\.socket.isZeroCopy),
      isMultiPiece: open.queues.allSatisfy(\.socket.isMultiPiece), queueCount: open.queues.count,
      counters: PortCounter.allCases.map { _ in 0 }, statistics: .init(),
      missed: open.specification.kind == .underlay
        ? 0 : (try? open.program?.program.missedCount()) ?? 0,
      faults: open.faults.withLock { $0 })
    for queue in open.queues {
      let block = hosts[queue.worker].ends.portCounters(slot: queue.slot)
      for counter in PortCounter.allCases {
        state.counters[counter.rawValue] += block.value(at: counter.rawValue)
      }
      state.statistics.add(queue.socket.statistics())
    }
    return state
  }

  /// Replaces the addresses whose packets the underlay's program hands to us.
  public func setOverlayAddresses(
    _ addresses: [OverlayAddress], port: PortIndex
  ) throws(DataplaneError) {
    guard let open = ports.withLock({ $0[port] })?.program else { return }
    do { try open.program.setOverlayAddresses(addresses) } catch { throw .program(error) }
  }

  /// Tells a program that is not attached yet which packets are for us.
  private func tell(
    _ program: borrowing XDPProgram, _ specification: PortSpecification
  ) throws(DataplaneError) {
    do {
      try program.setOverlayAddresses(specification.overlayAddresses)
      try program.setSecurityAssociations(specification.securityAssociations)
    } catch {
      throw .program(error)
    }
  }

  /// Binds one queue and has its worker serve it.
  private func openQueue(
    _ queue: UInt32, _ specification: PortSpecification, _ program: borrowing XDPProgram
  ) throws(DataplaneError) -> OpenPort.Queue {
    let worker = Int(queue) % workerCount
    let host = hosts[worker]
    guard let slot = host.takeSlot() else { throw .tooManyPorts(limit: PortTable.capacity) }
    let socket: PacketSocket
    do {
      socket = try bind(queue, of: specification, on: host)
      try program.setSocket(socket.descriptor, queue: queue)
    } catch let error as XDPError {
      host.giveSlot(slot)
      throw .socket(error)
    } catch let error as ProgramError {
      host.giveSlot(slot)
      throw .program(error)
    } catch {
      host.giveSlot(slot)
      throw error as? DataplaneError ?? .workerSilent(worker)
    }
    start(slot, of: host, specification, socket)
    let open = OpenPort.Queue(number: queue, worker: worker, slot: slot, socket: .packet(socket))
    do {
      try host.command(WorkerCommand(.startQueue, slot: slot))
    } catch {
      // The worker may still come to the command.
      abandoned.withLock { $0.append(open) }
      throw error
    }
    return open
  }

  /// Opens the socket of one queue: without copying where the underlay's driver can, otherwise as
  /// one of the worker's copying sockets.
  ///
  /// A zero-copy socket needs a registration of the frames of its own, because the first socket of
  /// a registration fixes the mode of all others.
  private func bind(
    _ queue: UInt32, of specification: PortSpecification, on host: WorkerHost
  ) throws -> PacketSocket {
    var options = PacketSocket.Options(
      interface: specification.interface, queue: queue, ringCapacity: UMEM.ringCapacity)
    let patience = specification.busyPatienceMilliseconds
    if specification.kind == .underlay, specification.attach != .generic {
      options.zeroCopy = true
      for isMultiPiece in zeroCopyChoices(specification) {
        if let frames = try? UMEM(memory: host.ends.frames, isMultiPiece: isMultiPiece),
          let socket = try? bind(options, umem: frames, patience)
        {
          return socket
        }
      }
      options.zeroCopy = false
    }
    do {
      return try bind(options, umem: try host.umem(), patience)
    } catch let error as XDPError where error.number == EBADF {
      // The registration's first socket lost its interface, and nobody can share it any more.
      return try bind(options, umem: try host.renewedUMEM(), patience)
    }
  }

  /// Whether a zero-copy socket asks for frames in several pieces, in the order to try: some
  /// drivers have only those in one, which will do if none of the port's frames is longer.
  private func zeroCopyChoices(_ specification: PortSpecification) -> [Bool] {
    guard frameLengthMax > UMEM.frameLengthMax else { return [false] }
    return specification.frameLengthMax > UMEM.frameLengthMax ? [true] : [true, false]
  }

  /// Binds, and waits for a queue whose last socket was closed only just now: the kernel frees it a
  /// moment later.
  private func bind(
    _ options: PacketSocket.Options, umem: UMEM, _ patienceMilliseconds: Int
  ) throws(XDPError) -> PacketSocket {
    for _ in 0..<(patienceMilliseconds / 5) {
      do throws(XDPError) {
        return try PacketSocket(umem: umem, options: options)
      } catch {
        guard error.number == EBUSY else { throw error }
        usleep(5000)
      }
    }
    return try PacketSocket(umem: umem, options: options)
  }

  private func start(
    _ slot: UInt16, of host: WorkerHost, _ specification: PortSpecification, _ socket: PacketSocket
  ) {
    let limit = socket.isMultiPiece ? Frame.lengthMax : UMEM.frameLengthMax
    var options = PortQueue.Options(
      port: specification.port, kind: specification.kind, backing: .socket(socket.descriptor),
      frameLengthMax: min(specification.frameLengthMax, limit),
      fillTarget: UInt32(firstFill(specification, of: host)))
    options.isMultiPiece = socket.isMultiPiece
    let counters = host.ends.portCounters(slot: slot)
    for counter in PortCounter.allCases { counters.set(0, at: counter.rawValue) }
    host.ends.ports.fill(
      slot, with: PortQueue(options, rings: socket.takeRings(), counters: counters))
  }

  /// Chunks that a queue's fill ring begins with while there are plenty.
  private func firstFill(_ specification: PortSpecification, of host: WorkerHost) -> Int {
    let all = options.frameCount
    let more = longFrameFill(specification)
    guard specification.kind == .underlay else {
      return FrameBudget.stationFill(free: all, of: all) + more
    }
    let own = (specification.queueCount - host.index + workerCount - 1) / workerCount
    return FrameBudget.underlayFill(queueCount: own, of: all) + more
  }

  /// Chunks on the fill ring of a port's queue besides, as its frames have several pieces.
  private func longFrameFill(_ specification: PortSpecification) -> Int {
    FrameBudget.longFrameFill(
      frameLengthMax: min(specification.frameLengthMax, frameLengthMax))
  }

  /// The most queues of a port that one worker has.
  private func perWorker(_ specification: PortSpecification) -> Int {
    (specification.queueCount + workerCount - 1) / workerCount
  }

  /// Chunks that the worker with the most queues has on fill rings for long frames.
  var longFrameFill: Int {
    ports.withLock { ports in
      ports.values.reduce(0) {
        $0 + longFrameFill($1.specification) * perWorker($1.specification)
      }
    }
  }

  /// Throws if a worker would have too few chunks left with one more port.
  func requireChunks(for specification: PortSpecification) throws(DataplaneError) {
    var all = ports.withLock { ports in
      ports.values.map { (kind: $0.specification.kind, queueCount: $0.queues.count) }
    }
    all.append((kind: specification.kind, queueCount: specification.queueCount))
    let budget = Budget(
      options: options, ports: all, snapshotBytes: 0,
      longFrameFill: longFrameFill + longFrameFill(specification) * perWorker(specification))
    guard !budget.frames.isSound else { return }
    throw .tooFewChunks(portCount: all.count - 1, chunkCount: options.frameCount)
  }

  /// Workers for which the interface has no queue: others carry their frames to it.
  private func workersWithoutQueue(_ specification: PortSpecification) -> Range<Int> {
    min(specification.queueCount, workerCount)..<workerCount
  }

  private func startHandingOver(_ specification: PortSpecification) throws(DataplaneError) {
    for worker in workersWithoutQueue(specification) {
      let carrier = UInt16(worker % specification.queueCount)
      try hosts[worker].command(
        WorkerCommand(.startHandingOver, slot: carrier, port: specification.port))
    }
  }

  private func stopHandingOver(_ specification: PortSpecification) -> [DataplaneError] {
    var errors: [DataplaneError] = []
    for worker in workersWithoutQueue(specification) {
      do {
        try hosts[worker].command(WorkerCommand(.stopHandingOver, port: specification.port))
      } catch {
        errors.append(error)
      }
    }
    return errors
  }

  /// Takes queues from their workers, closes their sockets, takes the kernel's frames back.
  ///
  /// A worker that does not answer may still use the rings: they are kept for later.
  func closeAll(_ queues: [OpenPort.Queue]) -> [DataplaneError] {
    var errors: [DataplaneError] = []
    for queue in queues {
      do {
        try close(queue)
      } catch {
        abandoned.withLock { $0.append(queue) }
        errors.append(error)
      }
    }
    return errors
  }

  private func close(_ queue: OpenPort.Queue) throws(DataplaneError) {
    let host = hosts[queue.worker]
    // For a slot that is served no more this is no command at all, so it may be repeated.
    try host.command(WorkerCommand(.stopQueue, slot: queue.slot))
    host.ends.ports.empty(queue.slot)
    queue.socket.close()
    // Commands keep their order: the slot is not served again before its frames are back.
    try? host.command(WorkerCommand(.reclaimQueue, slot: queue.slot))
    host.giveSlot(queue.slot)
  }

  /// Closes what could not be closed while a worker did not answer, if it does now.
  func closeAbandoned() {
    let (ready, rest) = abandoned.withLock { queues in
      defer { queues.removeAll() }
      return (
        queues.filter { hosts[$0.worker].hasAnswered },
        queues.filter { !hosts[$0.worker].hasAnswered }
      )
    }
    abandoned.withLock { $0 += rest }
    _ = closeAll(ready)
  }
}
