// SPDX-License-Identifier: Apache-2.0

internal import Dispatch
internal import HostNetwork
internal import Inet
internal import Logging
internal import Mesh
internal import Transport

extension ControlPlane {
  /// Opens the mesh's sockets and begins to look for peers.
  func startMesh() throws(ControlPlaneError) {
    guard let wanted = options.mesh, let name = wanted.name else { return }
    let transport: any MeshTransport
    do {
      let address = SocketAddress(wanted.listenAddress, port: wanted.port)
      transport = try openTransport(address) { [weak self] input in
        guard let self else { return }
        self.executor.queue.async { self.assumeIsolated { $0.take(input) } }
      }
    } catch {
      throw .mesh("\(error)")
    }
    let timer = DispatchSource.makeTimerSource(queue: executor.queue)
    timer.setEventHandler { self.assumeIsolated { $0.takeDeadline() } }
    timer.activate()
    mesh = MeshRun(
      machine: MeshMachine(machineOptions(wanted, name: name), random: random),
      transport: transport, watcher: watchPathMTUs(), timer: timer)
    followForwarding()
    aim(at: wanted.targets, isReplacing: false)
    logger.info(
      "mesh",
      metadata: [
        "name": "\(name)", "port": "\(wanted.port)", "encrypted": "\(wanted.password != nil)",
      ])
  }

  private func machineOptions(_ wanted: MeshOptions, name: PeerName) -> MeshMachine.Options {
    var machine = MeshMachine.Options(
      name: name, uid: UInt64.random(in: 1 ... .max, using: &random), nickname: wanted.nickname)
    machine.port = wanted.port
    machine.passwords = wanted.passwords
    if let ciphers = wanted.ciphers { machine.suites = ciphers }
    machine.rekeyInterval = .seconds(wanted.rekeySeconds)
    machine.hasDiscovery = wanted.hasDiscovery
    machine.connectionCountMax = wanted.connectionCountMax
    machine.trustedSubnets = wanted.trustedSubnets
    if let mtu = outerMTU { machine.underlayMTU = mtu }
    machine.overlayMTU = overlayMTU
    return machine
  }

  /// Listens to routers; without the privilege to do so, paths are found out by tests alone.
  private func watchPathMTUs() -> PathMTUWatcher? {
    do throws(TransportError) {
      return try PathMTUWatcher(ports: Set(outerPorts)) { [weak self] complaint in
        guard let self else { return }
        self.executor.queue.async {
          self.assumeIsolated {
            $0.take(
              .datagramTooLong(
                destination: complaint.destination, pathMTU: complaint.pathMTU))
          }
        }
      }
    } catch {
      logger.warning("routers are not heard", metadata: ["problem": "\(error)"])
      return nil
    }
  }

  /// Tells the machine what packets and frames fit, if that is news.
  func tellMeshMTUs() {
    guard let told = mesh?.toldMTUs else { return }
    let present = (underlay: outerMTU, overlay: overlayMTU)
    mesh?.toldMTUs = present
    if let mtu = present.underlay, mtu != told.underlay { take(.underlayMTU(mtu)) }
    if present.overlay != told.overlay { take(.overlayMTU(present.overlay)) }
  }

  /// What the interface to the other hosts carries; nil if none is configured or it is missing.
  private var outerMTU: Int? {
    underlay?.mtu ?? options.underlay.flatMap { (try? netlink.link(named: $0)) ?? nil }?.mtu
  }

  /// Closes the mesh's sockets.
  func stopMesh() {
    mesh?.timer.cancel()
    mesh?.watcher?.stop()
    mesh?.transport.stop()
    mesh = nil
  }

  /// The timer fired and is set to nothing now.
  private func takeDeadline() {
    mesh?.deadline = nil
    // What is there already has come in time, whenever this runs.
    collectSpecials()
    takeSpecials()
    take(.deadline)
  }

  /// Gives the machine an input and does what it wants done.
  func take(_ input: MeshInput) {
    guard !isStopping, var running = mesh else { return }
    // The machine is changed in place: two holders would mean a copy for each input.
    mesh = nil
    let effects = running.machine.handle(input, now: meshNow)
    mesh = running
    switch input {
    case .received(let link, let bytes): running.transport.consumed(bytes.count, on: link)
    default: break
    }
    var probes: [OverlayProbe] = []
    for effect in effects {
      if case .probe(let probe) = effect { probes.append(probe) } else { carryOut(effect) }
    }
    // After the tables know the links that these are for.
    send(probes)
    setMeshTimer()
    // Found on the way, when hints were taken.
    takeSpecialsLater()
  }

  private func carryOut(_ effect: MeshEffect) {
    switch effect {
    case .dial(let link, let remote): mesh?.transport.dial(link, remote)
    case .send(let link, let bytes): mesh?.transport.send(bytes, on: link)
    case .close(let link): mesh?.transport.close(link)
    case .probe(let probe): send([probe])
    case .forwardingChanged: followForwarding()
    case .keysAwaited: awaitKeys()
    // Routes and short numbers of peers that are gone left with `forwardingChanged`.
    case .peersForgotten: break
    case .note(let note): write(note)
    }
  }

  private func write(_ note: MeshNote) {
    let level: Logger.Level =
      switch note.level {
      case .debug: .debug
      case .info: .info
      case .warning: .warning
      }
    logger.log(
      level: level, "\(note.text)", metadata: note.details.mapValues { "\($0)" })
  }

  private func setMeshTimer() {
    guard let running = mesh else { return }
    let deadline = running.machine.nextDeadline
    guard deadline != running.deadline else { return }
    mesh?.deadline = deadline
    guard let deadline else {
      running.timer.schedule(deadline: .distantFuture)
      return
    }
    let wait = max(.zero, meshNow.duration(to: deadline)).components
    let nanoseconds = wait.seconds * 1_000_000_000 + wait.attoseconds / 1_000_000_000
    running.timer.schedule(
      deadline: .now() + .nanoseconds(Int(clamping: nanoseconds)), leeway: .milliseconds(1))
  }

  /// The clock of the mesh's machines: the kernel's monotonic one.
  var meshNow: MeshInstant { MeshInstant(nanoseconds: DispatchTime.now().uptimeNanoseconds) }
}
