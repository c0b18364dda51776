// SPDX-License-Identifier: Apache-2.0

public import Forwarding
public import Inet
internal import Synchronization
internal import Tables
internal import Telemetry
internal import XDP

/// A port of UDP sockets to be opened.
public struct SocketPortSpecification: Sendable {
  /// The index everybody knows it by.
  public var port: PortIndex
  /// Where its sockets are bound; 0.0.0.0 is any address.
  public var address: IPv4Address
  /// UDP ports, each bound once for every worker; the first is the one for sending what has another
  /// source port.
  public var udpPorts: [UInt16]
  /// The longest frame it carries, in bytes with its Ethernet header.
  public var frameLengthMax: Int
  /// Whether the kernel joins what is received and cuts what is sent, if it can.
  public var hasSegmentation = true

  /// Gathers what a port is.
  public init(port: PortIndex, address: IPv4Address, udpPorts: [UInt16], frameLengthMax: Int) {
    self.port = port
    self.address = address
    self.udpPorts = udpPorts
    self.frameLengthMax = frameLengthMax
  }

  /// What it has in common with ports of interfaces: an underlay with a queue for each worker.
  func common(workerCount: Int) -> PortSpecification {
    PortSpecification(
      port: port, kind: .underlay, interface: "", interfaceIndex: 0, queueCount: workerCount,
      frameLengthMax: frameLengthMax, attach: .automatic)
  }
}

extension Engine {
  /// Opens a port whose frames travel through the kernel's UDP sockets, in this process's network
  /// namespace; served by the workers when this returns.
  ///
  /// Every worker has sockets of its own, among which the kernel spreads flows. A UDP port that
  /// somebody else has is refused (`SocketPort.requireFree`). If any step fails nothing is left
  /// behind. `closePort` closes it.
  public func openSockets(_ specification: SocketPortSpecification) throws(DataplaneError) {
    closeAbandoned()
    if let silent = abandoned.withLock({ $0.first?.worker }) { throw .workerSilent(silent) }
    let common = specification.common(workerCount: workerCount)
    try requireChunks(for: common)
    for udpPort in specification.udpPorts {
      try SocketPort.requireFree(udpPort, specification.address)
    }
    var queues: [OpenPort.Queue] = []
    do throws(DataplaneError) {
      for host in hosts { queues.append(try openQueue(specification, on: host)) }
    } catch {
      // What cannot be closed now is abandoned; the reason for all of it is `error`.
      _ = closeAll(queues)
      throw error
    }
    let open = OpenPort(specification: common, program: nil, queues: queues)
    ports.withLock { $0[specification.port] = open }
  }

  /// Has an open port of sockets receive from one more UDP port, and send from it what has that
  /// source port.
  ///
  /// Each worker stops serving the port for as long as it takes to bind a socket, and drops what it
  /// would send through it meanwhile. If it fails, nothing has changed.
  public func addUDPPort(_ udpPort: UInt16, port: PortIndex) throws(DataplaneError) {
    guard let open = ports.withLock({ $0[port] }), let first = open.sockets.first,
      !first.udpPorts.contains(udpPort)
    else { return }
    try SocketPort.requireFree(udpPort, first.options.address)
    do throws(DataplaneError) {
      try changeSockets(of: open) { socket throws(DataplaneError) in try socket.open(udpPort) }
    } catch {
      try? changeSockets(of: open) { $0.close(udpPort) }
      throw error
    }
  }

  /// Has a port of sockets receive from a UDP port no more; its first one stays.
  ///
  /// Each worker stops serving the port meanwhile, as for `addUDPPort`.
  public func removeUDPPort(_ udpPort: UInt16, port: PortIndex) throws(DataplaneError) {
    guard let open = ports.withLock({ $0[port] }), let first = open.sockets.first,
      first.udpPorts.dropFirst().contains(udpPort)
    else { return }
    try changeSockets(of: open) { $0.close(udpPort) }
  }

  /// Changes the sockets of a port's parts, each while its worker does not serve it.
  private func changeSockets(
    of open: OpenPort, _ change: (SocketPort) throws(DataplaneError) -> Void
  ) throws(DataplaneError) {
    for queue in open.queues {
      guard case .datagrams(let socket) = queue.socket else { continue }
      let host = hosts[queue.worker]
      // A worker that has a command before it may be using what is about to change.
      guard host.hasAnswered else { throw .workerSilent(queue.worker) }
      try host.command(WorkerCommand(.stopQueue, slot: queue.slot))
      let result = Result { () throws(DataplaneError) in try change(socket) }
      try host.command(WorkerCommand(.startQueue, slot: queue.slot))
      try result.get()
    }
  }

  /// Binds a worker's sockets and has it serve them.
  private func openQueue(
    _ specification: SocketPortSpecification, on host: WorkerHost
  ) throws(DataplaneError) -> OpenPort.Queue {
    guard let slot = host.takeSlot() else { throw .tooManyPorts(limit: PortTable.capacity) }
    let socket: SocketPort
    do throws(DataplaneError) { socket = try makePart(specification, of: host) } catch {
      host.giveSlot(slot)
      throw error
    }
    let counters = host.ends.portCounters(slot: slot)
    for counter in PortCounter.allCases { counters.set(0, at: counter.rawValue) }
    host.ends.ports.fill(
      slot,
      with: socket.queue(
        frameLengthMax: specification.frameLengthMax, fillTarget: firstFill(specification),
        counters: counters))
    let open = OpenPort.Queue(
      number: UInt32(host.index), worker: host.index, slot: slot, socket: .datagrams(socket))
    do {
      try host.command(WorkerCommand(.startQueue, slot: slot))
    } catch {
      // The worker may still come to the command.
      abandoned.withLock { $0.append(open) }
      throw error
    }
    return open
  }

  /// A worker's part of a port, with all its sockets.
  private func makePart(
    _ specification: SocketPortSpecification, of host: WorkerHost
  ) throws(DataplaneError) -> SocketPort {
    var options = SocketPort.Options(port: specification.port, address: specification.address)
    options.hasSegmentation = specification.hasSegmentation
    let socket: SocketPort
    do throws(MemoryError) { socket = try SocketPort(options, frames: host.ends.frames) } catch {
      throw .memory(error)
    }
    for udpPort in specification.udpPorts { try socket.open(udpPort) }
    return socket
  }

  /// Chunks that a queue's fill ring begins with: no more than the budget has for an underlay's.
  private func firstFill(_ specification: SocketPortSpecification) -> UInt32 {
    let usual = FrameBudget.underlayFill(queueCount: 1, of: options.frameCount)
    let more = FrameBudget.longFrameFill(frameLengthMax: specification.frameLengthMax)
    return min(SocketPort.fillTarget, UInt32(usual + more))
  }
}
