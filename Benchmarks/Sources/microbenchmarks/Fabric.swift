// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import Inet
internal import Routing
internal import Sealing
internal import Tables

/// A model of two station ports, an underlay port and an endpoint, with known stations: half of
/// them senders at one location, the other half receivers at another.
struct Fabric: ~Copyable {
  /// A station port.
  static let firstPort = PortIndex(0)
  /// Another station port.
  static let secondPort = PortIndex(1)
  /// Where outer frames come and go.
  static let underlay = PortIndex(2)

  /// What readers read.
  let memory: SnapshotMemory
  /// What decides.
  var model: ForwardingModel
  /// Senders, and as many receivers.
  let pairCount: Int

  /// The endpoint's location.
  static var endpoint: Location { Location(EndpointIndex(0)) }

  /// Without `keys` nothing is sealed.
  init(
    stations: Int, senders: Location, receivers: Location, sealsWith keys: FrameKeys? = nil
  ) throws {
    let memory = try SnapshotMemory(pageCount: 16_384, entryCountMax: 131_072)
    let pairCount = stations / 2
    var model = try ForwardingModel(memory: memory, seed: 1, options: .init())
    for port in [Fabric.firstPort, Fabric.secondPort] { model.addPort(port, receivesFloods: true) }
    model.addPort(Fabric.underlay, receivesFloods: false)
    let index = model.addEndpoint(
      address: FrameBytes.endpointAddress, network: FrameBytes.network,
      underlayPort: Fabric.underlay)
    guard let index else { throw Refused() }
    model.setEndpoint(index, reached: try Fabric.path(sealsWith: keys))
    for number in 0..<pairCount {
      model.learn(FrameBytes.sender(number), at: senders)
      model.learn(FrameBytes.receiver(number), at: receivers)
    }
    guard model.commit(), model.stationCount == 2 * pairCount else { throw Refused() }
    self.memory = memory
    self.pairCount = pairCount
    self.model = model
  }

  /// The path to the endpoint; with `keys` what takes it is sealed in ESP, with a new key in them.
  private static func path(sealsWith keys: FrameKeys?) throws -> EndpointPath {
    guard let keys else { return FrameBytes.pathToEndpoint }
    guard let base = SessionKey(bytes: [UInt8](repeating: 1, count: 32)) else { throw Refused() }
    let key = FrameKey(
      .aes256gcm, layout: .esp, isSealing: true, identifier: 1, from: base,
      nonce: [UInt8](repeating: 2, count: 32), info: [])
    var path = FrameBytes.pathToEndpoint
    path.sealing = keys.add(key)
    guard path.sealing != nil else { throw Refused() }
    return path
  }

  /// The model did not take what the benchmark needs.
  struct Refused: Error {}

  /// The pair that frame number `index` of a batch belongs to; a batch is spread over the table.
  func pair(of index: Int) -> Int { index * max(1, pairCount / 64) % pairCount }

  /// Frame number `index` of a batch, in outer headers if it comes from the endpoint.
  func frame(_ index: Int, length: Int, isOuter: Bool) -> [UInt8] {
    let pair = pair(of: index)
    let inner = FrameBytes.udp(
      from: FrameBytes.sender(pair), to: FrameBytes.receiver(pair), length: length)
    return isOuter ? FrameBytes.outer(inner) : inner
  }

  /// A frame to everybody.
  func broadcast(_ index: Int, length: Int) -> [UInt8] {
    FrameBytes.udp(from: FrameBytes.sender(pair(of: index)), to: .broadcast, length: length)
  }
}

extension ForwardingModel {
  /// The station is there.
  mutating func learn(_ mac: MACAddress, at location: Location) {
    learn(Hint(mac: mac.bits, location: location), nowSeconds: 0)
  }
}
