// SPDX-License-Identifier: Apache-2.0

import CLinux
import CXDP
import Dataplane
import Glibc
import Synchronization
import Tables
import XDP

/// Sends through an AF_XDP socket on a container's interface, as fast as it can or at a pace.
///
/// The frames are written once; every send is a descriptor and, in the kernel, one copy. It runs on
/// a thread of its own that is pinned to one core.
final class Generator: Sendable {
  /// Frames that the kernel took.
  private let sentCount = Atomic<Int>(0)
  private let isStopping = Atomic<Bool>(false)
  private let socket: PacketSocket
  private let rings: Mutex<GeneratorRings>
  private let room: Room
  private let core: Int

  /// Binds queue 0 of an interface in a room.
  init(room: Room, interface: String, flows: Flows, core: Int) throws {
    self.room = room
    self.core = core
    let memory = try MappedMemory(length: Flows.count * UMEM.chunkLength, name: "pktbench-frames")
    var frames = FrameMemory(memory: memory)
    for number in 0..<Flows.count {
      let address = UInt32(number * UMEM.chunkLength + UMEM.headroom)
      var bytes = frames.mutableBytes(at: address, length: flows.sentLength)
      flows.write(number, into: &bytes)
    }
    socket = try room.visit {
      try PacketSocket(
        umem: UMEM(memory: memory),
        options: PacketSocket.Options(
          interface: interface, queue: 0, ringCapacity: UMEM.ringCapacity))
    }
    rings = Mutex(GeneratorRings(socket: socket, size: flows.sentLength))
  }

  /// Sends at most `limit` frames; returns how many the kernel took, and in how many seconds.
  func run(_ load: Load, limit: Int = .max) throws -> (frames: Int, seconds: Double) {
    let core = UInt32(self.core)
    return try room.visit {
      _ = clinux_pin_thread(core)
      return self.rings.withLock { $0.run(load, limit: limit) }
    }
  }

  func close() { socket.close() }
}

/// The generator's rings, used by one thread at a time.
struct GeneratorRings: ~Copyable {
  private var rings: SocketRings
  private let descriptor: CInt
  private let size: UInt32
  private var next = 0
  private var inFlight = 0

  init(socket: PacketSocket, size: Int) {
    rings = socket.takeRings()
    descriptor = socket.descriptor
    self.size = UInt32(size)
  }

  mutating func run(_ load: Load, limit: Int) -> (frames: Int, seconds: Double) {
    let start = Stopwatch.now
    let end = start + UInt64(load.seconds * 1e9)
    var bucket = load.pace.map { TokenBucket(pace: $0, at: start) }
    var taken = 0
    var appended = 0
    var now = start
    while appended < limit, now < end {
      // A round of many bursts for each look at the clock, but for those that keep a pace.
      for _ in 0..<(bucket == nil ? 16 : 1) where appended < limit {
        let allowed = bucket?.take(at: Stopwatch.now) ?? 256
        let added = append(min(limit - appended, allowed))
        bucket?.giveBack(allowed - added)
        if added > 0 || bucket == nil { _ = cxdp_wakeup(descriptor) }
        let completed = complete()
        appended += added
        taken += completed
        // All frames are under way on another core: waiting costs this one nothing.
        if added == 0, completed == 0, bucket == nil { usleep(20) }
      }
      now = Stopwatch.now
    }
    let elapsed = now - start
    // What the kernel has not sent yet goes out now, so that every descriptor is accounted for.
    for _ in 0..<100_000 where inFlight > 0 {
      _ = cxdp_wakeup(descriptor)
      taken += complete()
    }
    return (taken, Double(elapsed) / 1e9)
  }

  private mutating func append(_ wanted: Int) -> Int {
    var count = 0
    while count < wanted, inFlight < Flows.count {
      let address = UInt64(next * UMEM.chunkLength + UMEM.headroom)
      guard rings.transmit.append(XDPDescriptor(address: address, length: size)) else { break }
      next = (next + 1) % Flows.count
      inFlight += 1
      count += 1
    }
    rings.transmit.publish()
    return count
  }

  private mutating func complete() -> Int {
    var count = 0
    while rings.completion.next() != nil { count += 1 }
    rings.completion.release()
    inFlight -= count
    return count
  }
}
