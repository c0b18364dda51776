// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Routing
import Tables

/// Room for tests: 1024 pages and as many entries as the default limits ask for.
func roomySnapshotMemory() throws -> SnapshotMemory {
  try SnapshotMemory(pageCount: 1024, entryCountMax: 131_072)
}

/// A model with ports 0 to 3, which floods reach, and endpoints 0 and 1 behind port 9.
func model(
  _ memory: SnapshotMemory, seed: UInt64 = 1,
  options: ForwardingModel.Options = ForwardingModel.Options()
) throws -> ForwardingModel {
  var model = try ForwardingModel(memory: memory, seed: seed, options: options)
  for port in 0..<4 { model.addPort(port: port) }
  model.addPort(PortIndex(9), receivesFloods: false)
  for host in 1...2 {
    _ = model.addEndpoint(
      address: IPv4Address(bits: 0xC000_0200 + UInt32(host)), network: VirtualNetwork(bits: 7),
      underlayPort: PortIndex(9))
  }
  return model
}

extension ForwardingModel {
  /// Adds a port that receives floods.
  mutating func addPort(port number: Int) {
    addPort(PortIndex(UInt16(number)), receivesFloods: true)
  }

  /// Learns a station by its number.
  mutating func learn(_ station: Int, at location: Location, _ nowSeconds: UInt64 = 0) {
    learn(Hint(mac: stationMAC(station).bits, location: location), nowSeconds: nowSeconds)
  }
}

/// The address of a test's station.
func stationMAC(_ number: Int) -> MACAddress {
  MACAddress(bits: 0x02_00_00_00_00_00 + UInt64(number))
}

/// The location behind a port.
func port(_ number: Int) -> Location { Location(PortIndex(UInt16(number))) }

/// The location behind an endpoint.
func endpoint(_ number: Int) -> Location { Location(EndpointIndex(UInt16(number))) }

extension ForwardingSnapshot {
  /// What the snapshot says of a test's station.
  func station(_ number: Int) -> Station? {
    let value = stations.value(for: SnapshotKey.station(stationMAC(number)))
    return value == PagedTableReader.missing ? nil : Station(value: value)
  }

  /// The endpoint that sends from `address` with `network`.
  func source(_ address: IPv4Address, _ network: VirtualNetwork) -> EndpointIndex? {
    let value = sources.value(for: SnapshotKey.source(address, network))
    return value == PagedTableReader.missing ? nil : EndpointIndex(UInt16(value))
  }

  /// The ports and endpoints that a flood goes to.
  var flood: (ports: [UInt16], endpoints: [UInt16]) {
    let ports = floodPorts
    let endpoints = floodEndpoints
    return ((0..<ports.count).map { ports[$0] }, (0..<endpoints.count).map { endpoints[$0] })
  }
}
