// SPDX-License-Identifier: Apache-2.0

public import Forwarding
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
  /// Where outer packets for us arrive; for the underlay.
  public var overlayAddresses: [OverlayAddress]

  /// Gathers what a port is.
  public init(
    port: PortIndex, kind: PortKind, interface: String, interfaceIndex: UInt32, queueCount: Int,
    frameLengthMax: Int, attach: AttachRequest, overlayAddresses: [OverlayAddress] = []
  ) {
    self.port = port
    self.kind = kind
    self.interface = interface
    self.interfaceIndex = interfaceIndex
    self.queueCount = queueCount
    self.frameLengthMax = frameLengthMax
    self.attach = attach
    self.overlayAddresses = overlayAddresses
  }
}

/// What is known of an open port.
public struct PortState: Sendable, Equatable {
  /// How its program is attached.
  public var mode: AttachMode
  /// Why so, in a sentence.
  public var reason: String
  /// Whether the driver reads and writes frames in place.
  public var zeroCopy: Bool
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
    let socket: PacketSocket
  }

  let specification: PortSpecification
  let program: XDPProgram
  let queues: [Queue]
  let attachment: AttachmentHolder
  let faults = Mutex<FaultSettings?>(nil)

  init(
    specification: PortSpecification, program: consuming XDPProgram, queues: [Queue],
    attachment: AttachmentHolder
  ) {
    self.specification = specification
    self.program = program
    self.queues = queues
    self.attachment = attachment
  }
}

extension Engine {
  /// Opens a port: program, a socket on every queue, served by the workers when this returns.
  ///
  /// Nothing is left behind if any step fails.
  public func openPort(_ specification: PortSpecification) throws(DataplaneError) {
    guard specification.queueCount >= workerCount else {
      throw .tooFewQueues(
        interface: specification.interface, queues: specification.queueCount, workers: workerCount)
    }
    let kind: ProgramKind = specification.kind == .underlay ? .underlay : .port
    let program: XDPProgram
    do { program = try XDPProgram(kind) } catch { throw .program(error) }
    if kind == .underlay { try set(specification.overlayAddresses, in: program) }
    let attachment = try AttachmentHolder(program, specification)
    var queues: [OpenPort.Queue] = []
    do throws(DataplaneError) {
      for queue in 0..<specification.queueCount {
        queues.append(try openQueue(UInt32(queue), specification, program))
      }
    } catch {
      close(queues)
      attachment.detach()
      throw error
    }
    let open = OpenPort(
      specification: specification, program: program, queues: queues, attachment: attachment)
    ports.withLock { $0[specification.port] = open }
  }

  /// Closes a port and takes every frame back.
  ///
  /// Its interface is left without a program, unless it is a station's and `keepsProgram`.
  public func closePort(_ port: PortIndex, keepsProgram: Bool = false) {
    guard let open = ports.withLock({ $0.removeValue(forKey: port) }) else { return }
    for queue in open.queues { try? open.program.removeSocket(queue: queue.number) }
    close(open.queues)
    if !keepsProgram || open.specification.kind == .underlay { open.attachment.detach() }
  }

  /// What is known of a port; nil if it is not open.
  public func state(of port: PortIndex) -> PortState? {
    guard let open = ports.withLock({ $0[port] }) else { return nil }
    var state = PortState(
      mode: open.attachment.mode, reason: open.attachment.reason,
      zeroCopy: open.queues.allSatisfy(\.socket.isZeroCopy), queueCount: open.queues.count,
      counters: PortCounter.allCases.map { _ in 0 }, statistics: .init(),
      missed: open.specification.kind == .underlay ? 0 : (try? open.program.missedCount()) ?? 0,
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
    guard let open = ports.withLock({ $0[port] }) else { return }
    do { try open.program.setOverlayAddresses(addresses) } catch { throw .program(error) }
  }

  private func set(
    _ addresses: [OverlayAddress], in program: borrowing XDPProgram
  ) throws(DataplaneError) {
    do { try program.setOverlayAddresses(addresses) } catch { throw .program(error) }
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
    try host.command(WorkerCommand(.startQueue, slot: slot))
    return OpenPort.Queue(number: queue, worker: worker, slot: slot, socket: socket)
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
    if specification.kind == .underlay, specification.attach != .generic {
      options.zeroCopy = true
      if let frames = try? UMEM(memory: host.ends.frames),
        let socket = try? PacketSocket(umem: frames, options: options)
      {
        return socket
      }
      options.zeroCopy = false
    }
    return try PacketSocket(umem: try host.umem(), options: options)
  }

  private func start(
    _ slot: UInt16, of host: WorkerHost, _ specification: PortSpecification, _ socket: PacketSocket
  ) {
    let options = PortQueue.Options(
      port: specification.port, kind: specification.kind, backing: .socket(socket.descriptor),
      frameLengthMax: specification.frameLengthMax,
      fillTarget: specification.kind == .underlay ? 512 : 128)
    let counters = host.ends.portCounters(slot: slot)
    for counter in PortCounter.allCases { counters.set(0, at: counter.rawValue) }
    host.ends.ports.fill(
      slot, with: PortQueue(options, rings: socket.takeRings(), counters: counters))
  }

  /// Takes queues from their workers, closes their sockets, takes the kernel's frames back.
  private func close(_ queues: [OpenPort.Queue]) {
    for queue in queues {
      let host = hosts[queue.worker]
      // A worker that does not answer may still use the rings: they are kept, not pulled away.
      let stop = WorkerCommand(.stopQueue, slot: queue.slot)
      guard (try? host.command(stop)) != nil else { continue }
      host.ends.ports.empty(queue.slot)
      queue.socket.close()
      try? host.command(WorkerCommand(.reclaimQueue, slot: queue.slot))
      host.giveSlot(queue.slot)
    }
  }
}
