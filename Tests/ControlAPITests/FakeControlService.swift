// SPDX-License-Identifier: Apache-2.0

import ControlAPI
import ControlPlane
import Inet
import Mesh

/// A control service without a daemon behind it: keeps attachments in a dictionary.
///
/// What passes only with it is a lie in it; the real one is tested with the node.
actor FakeControlService: ControlService {
  private var byNamespace: [String: AttachmentReport] = [:]
  private let refusal: ServiceError?
  private let delay: Duration

  /// Every request that arrived, in order.
  private(set) var requests: [AttachRequest] = []

  /// Every trace that was asked for, in order.
  private(set) var traces: [TraceRequest] = []
  /// How many of them have ended.
  private(set) var tracesEnded = 0

  /// Every request about peers that arrived, in order.
  private(set) var connects: [ConnectRequest] = []
  private(set) var forgets: [ForgetRequest] = []
  private let mesh: MeshReport?
  private let secured: [PeerName: SecurityReport]

  /// Refuses every change with `refusal` if there is one; answers after `delay`.
  init(
    refusal: ServiceError? = nil, delay: Duration = .zero, mesh: MeshReport? = nil,
    security: [PeerName: SecurityReport] = [:]
  ) {
    self.refusal = refusal
    self.delay = delay
    self.mesh = mesh
    self.secured = security
  }

  func attach(_ request: AttachRequest) async throws(ServiceError) -> AttachmentReport {
    requests.append(request)
    try? await Task.sleep(for: delay)
    if let refusal { throw refusal }
    let netns = try name(request.netns, request.pid)
    let mac = request.mac ?? MACAddress(bits: 0x0200_0000_0000 + UInt64(byNamespace.count))
    var report =
      byNamespace[netns]
      ?? AttachmentReport(
        hostInterface: "fake\(byNamespace.count)", interface: request.interface ?? "fake",
        netns: netns, mac: mac, addresses: [], state: .attached)
    report.addresses += request.addresses
    byNamespace[netns] = report
    return report
  }

  func detach(_ request: DetachRequest) async throws(ServiceError) -> [AttachmentReport] {
    if let refusal { throw refusal }
    let netns = try name(request.netns, request.pid)
    guard var report = byNamespace[netns] else {
      throw ServiceError(.notFound, "\(netns) is not attached")
    }
    var taken = report
    taken.addresses = request.addresses.isEmpty ? report.addresses : request.addresses
    report.addresses.removeAll { taken.addresses.contains($0) }
    byNamespace[netns] = report.addresses.isEmpty ? nil : report
    return [taken]
  }

  func attachments() async -> [AttachmentReport] {
    byNamespace.values.sorted { $0.netns < $1.netns }
  }

  func status() async -> StatusReport { Samples.status }

  func macs() async -> [MACReport] { Samples.macs }

  func trace(_ request: TraceRequest) async throws(ServiceError) -> TraceReport {
    traces.append(request)
    if let refusal { throw refusal }
    // As the real one: a trace that is cancelled ends early with what there is.
    try? await Task.sleep(for: delay)
    tracesEnded += 1
    return Samples.trace
  }

  func meshReport() async -> MeshReport? { mesh }

  func security() async -> [PeerName: SecurityReport] { secured }

  func connect(_ request: ConnectRequest) async throws(ServiceError) {
    connects.append(request)
    if let refusal { throw refusal }
  }

  func forget(_ request: ForgetRequest) async throws(ServiceError) {
    forgets.append(request)
    if let refusal { throw refusal }
  }

  private func name(_ netns: String?, _ pid: Int32?) throws(ServiceError) -> String {
    guard let name = netns ?? pid.map({ "pid \($0)" }) else {
      throw ServiceError(.failed, "an unchecked request came through")
    }
    return name
  }
}
