// SPDX-License-Identifier: Apache-2.0

package import Dataplane
import Forwarding
import Glibc
package import Inet
import TestSupport

/// A port of UDP sockets as a worker has it, with what a worker does with it one step at a time.
package final class SocketBench {
  /// What the bench is made of.
  package struct Options {
    /// The UDP ports that are bound at 127.0.0.1 or `address`; one that is free if empty.
    package var udpPorts: [UInt16] = []
    /// Where they are bound.
    package var address = IPv4Address(bits: 0)
    /// Chunks of the worker.
    package var frameCount = 1024
    /// Entries of the rings, and chunks on the fill ring.
    package var ringCapacity: UInt32 = 128
    /// Whether the kernel joins and cuts.
    package var hasSegmentation = true

    /// A port of any address with one UDP port.
    package init() {}
  }

  /// What the bench is made of.
  package let options: Options
  /// The port.
  package let port: SocketPort
  /// The worker's frames.
  package var memory: FrameMemory
  private let ends: WorkerEnds
  private var batch = Batch()

  /// Binds the sockets and serves the queue.
  package init(_ options: Options = Options()) throws {
    var options = options
    if options.udpPorts.isEmpty { options.udpPorts = [try PlainSocket.freePort()] }
    self.options = options
    ends = try WorkerEnds(frameCount: options.frameCount)
    memory = FrameMemory(memory: ends.frames)
    var wanted = SocketPort.Options(port: PortIndex(3), address: options.address)
    wanted.ringCapacity = options.ringCapacity
    wanted.hasSegmentation = options.hasSegmentation
    port = try SocketPort(wanted, frames: ends.frames)
    for udpPort in options.udpPorts { try port.open(udpPort) }
    ends.ports.fill(
      0,
      with: port.queue(
        frameLengthMax: Frame.lengthMax, fillTarget: options.ringCapacity,
        counters: ends.portCounters(slot: 0)))
    ends.ports.start(0)
    _ = exhale()
  }

  deinit { ends.ports.empty(0) }

  /// The first UDP port.
  package var udpPort: UInt16 { options.udpPorts[0] }

  /// Whether every chunk is where it belongs while nothing happens.
  package var isAtRest: Bool {
    memory.freeCount == options.frameCount - Int(options.ringCapacity)
  }

  /// What a worker does at the end of a breath.
  package func exhale() -> Exhalation { ends.ports.exhale(memory: &memory) }

  /// Draws a batch and gives its chunks back without a look at it; returns how many frames.
  package func breathe() -> Int {
    ends.ports.receive(0, into: &batch, memory: &memory)
    for row in 0..<batch.count { memory.give(batch.frames[row]) }
    _ = exhale()
    return batch.count
  }

  /// One breath's frames.
  package func receive() -> [[UInt8]] {
    ends.ports.receive(0, into: &batch, memory: &memory)
    let frames = (0..<batch.count).map { bytes(of: batch.frames[$0]) }
    for row in 0..<batch.count { memory.give(batch.frames[row]) }
    _ = exhale()
    return frames
  }

  /// The next `count` frames; breathes until they are there, or for ten seconds.
  package func receive(count: Int) -> [[UInt8]] {
    var frames: [[UInt8]] = []
    for _ in 0..<10_000 where frames.count < count {
      let more = receive()
      frames += more
      if more.isEmpty { usleep(1000) }
    }
    return frames
  }

  private func bytes(of frame: Frame) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(frame.length))
    var span = bytes.mutableSpan
    memory.read(frame, from: 0, into: &span)
    return bytes
  }

  /// Puts a frame on the TX ring; false if there is no room or no chunk for it.
  package func put(_ bytes: [UInt8]) -> Bool {
    guard let frame = memory.takeChain(length: bytes.count) else { return false }
    memory.scatter(bytes.span, into: frame, at: 0)
    if ends.ports.send(frame, 0, memory: &memory) { return true }
    memory.give(frame)
    return false
  }

  /// Sends frames, with as many breaths as that takes; returns the number of system calls.
  package func send(_ frames: [[UInt8]]) -> Int {
    var calls = 0
    for frame in frames {
      var attempts = 0
      while !put(frame), attempts < 10_000 {
        calls += exhale().wakeups
        attempts += 1
      }
    }
    for _ in 0..<10_000 {
      let exhalation = exhale()
      calls += exhalation.wakeups
      guard exhalation.isOwing else { break }
    }
    return calls
  }
}

/// A frame of the underlay: Ethernet, IPv4 and UDP headers around a payload.
package struct UnderlayFrame {
  /// The sender; 0.0.0.0 leaves the choice to the kernel.
  package var source = IPv4Address(bits: 0)
  /// The receiver.
  package var destination = PlainSocket.loopback
  /// The sender's UDP port.
  package var sourcePort: UInt16
  /// The receiver's UDP port.
  package var destinationPort: UInt16
  /// Whether routers may fragment it.
  package var mayFragment = false

  /// A frame between two ports of this host.
  package init(from sourcePort: UInt16, to destinationPort: UInt16) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
  }

  /// Its bytes around a payload.
  package func bytes(_ payload: [UInt8]) -> [UInt8] {
    var header: [UInt8] = [0x45, 0] + octets(UInt16(truncatingIfNeeded: payload.count + 28))
    header += [0, 0, mayFragment ? 0 : 0x40, 0, 64, 17, 0, 0]
    header += octets(source.bits) + octets(destination.bits)
    let checksum = internetChecksum(header)
    header.replaceSubrange(10..<12, with: octets(checksum))
    return [UInt8](repeating: 0, count: 12) + [8, 0] + header + octets(sourcePort)
      + octets(destinationPort) + octets(UInt16(truncatingIfNeeded: payload.count + 8)) + [0, 0]
      + payload
  }
}
