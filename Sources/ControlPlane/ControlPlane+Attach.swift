// SPDX-License-Identifier: Apache-2.0

internal import Forwarding
internal import HostNetwork
internal import Inet
internal import Logging
internal import Routing

extension ControlPlane {
  /// Gives a container an interface on the overlay, or another address on the one it has.
  ///
  /// When this returns the container can send and be reached. If it throws, nothing has changed.
  package func attach(_ request: AttachRequest) throws(ControlPlaneError) -> AttachmentReport {
    guard !isStopping else { throw .stopping }
    let valid: AttachRequest.Validated
    do { valid = try request.validated() } catch { throw .request(error) }
    let path = valid.namespace.networkNamespacePath
    let identity = try namespaceIdentity(path)
    if let known = attachments.values.first(where: { $0.matches(identity, valid.interface) }) {
      // It may be gone, and its namespace's number another's, without our having heard of it yet.
      followContainer(known.port)
      commit()
    }
    if var existing = attachments.values.first(where: { $0.matches(identity, valid.interface) }) {
      try add(valid.addresses, to: &existing)
      attachments[existing.port] = existing
      return report(existing)
    }
    let attachment = try make(valid, path: path)
    attachments[attachment.port] = attachment
    logger.info("attached", metadata: attachment.description)
    return report(attachment)
  }

  /// Takes addresses from a container, and its interface with the last of them.
  ///
  /// No addresses means all. Returns what was taken.
  package func detach(_ request: DetachRequest) throws(ControlPlaneError) -> [AttachmentReport] {
    let valid: DetachRequest.Validated
    do { valid = try request.validated() } catch { throw .request(error) }
    let path = valid.namespace.networkNamespacePath
    let identity = try? namespaceIdentity(path)
    let matching = attachments.values.filter {
      identity.map($0.matches) ?? ($0.interface.record.namespacePath == path)
    }
    guard !matching.isEmpty else { throw .notAttached("\(valid.namespace)") }
    var taken: [AttachmentReport] = []
    for attachment in matching.sorted(by: { $0.port.number < $1.port.number }) {
      let held = attachment.interface.record.addresses
      let wanted = valid.addresses.isEmpty ? held : held.filter(valid.addresses.contains)
      // One whose addresses somebody took away is detached as well.
      guard !wanted.isEmpty || valid.addresses.isEmpty else { continue }
      var report = report(attachment)
      report.addresses = wanted
      try take(wanted, from: attachment)
      taken.append(report)
    }
    guard !taken.isEmpty else {
      throw .notAttached(valid.addresses.map(\.description).joined(separator: " "))
    }
    return taken
  }

  private func namespaceIdentity(_ path: String) throws(ControlPlaneError) -> UInt64 {
    try ControlPlane.asking { () throws(HostNetworkError) in
      let namespace = try NetworkNamespace(path: path)
      guard try !namespace.isOwn else { throw HostNetworkError.hostNamespace(path: path) }
      return namespace.identity.inode
    }
  }

  private func make(
    _ valid: AttachRequest.Validated, path: String
  ) throws(ControlPlaneError) -> Attachment {
    guard let port = freePort() else { throw .tablesFull }
    var specification = AttachSpecification(
      namespacePath: path, addresses: valid.addresses, mtu: overlayMTU,
      queueCount: engine.workerCount,
      hostEnd: AttachmentListing.hostEndName(UInt32.random(in: .min ... .max, using: &random)))
    specification.mac = valid.mac
    if let interface = valid.interface { specification.interfaceName = interface }
    let interface = try serve(specification, as: port)
    let attachment = Attachment(
      interface: interface, port: port, isOpen: true, trouble: nil, mtu: specification.mtu,
      servedMTU: specification.mtu)
    do throws(HostNetworkError) {
      try interface.announce()
    } catch {
      try? delete(attachment)
      throw .host(error)
    }
    return attachment
  }

  /// Makes the pair, opens the port while both ends are down, brings them up and tells the workers:
  /// so there is no moment at which the host would take the container's frames.
  ///
  /// Opening has both up for the moment of a self test, with a program that hands frames to it.
  private func serve(
    _ specification: AttachSpecification, as port: PortIndex
  ) throws(ControlPlaneError) -> ContainerInterface {
    let prepared: PreparedInterface
    do { prepared = try PreparedInterface(specification, using: &random) } catch {
      throw .host(error)
    }
    do throws(ControlPlaneError) {
      let sender: TestFrameSender
      do { sender = try prepared.testFrameSender() } catch { throw .host(error) }
      try open(prepared.hostEnd, as: port, choosingModeBy: tested(by: sender))
    } catch {
      prepared.discard()
      throw error
    }
    do {
      let interface = try prepared.finish()
      model.addPort(port, receivesFloods: true)
      commit()
      return interface
    } catch {
      withdraw(port, keepsProgram: true)
      throw .host(error)
    }
  }

  private func add(
    _ addresses: [IPv4Prefix], to attachment: inout Attachment
  ) throws(ControlPlaneError) {
    let held = attachment.interface.record.addresses
    if let twice = addresses.first(where: held.contains) {
      throw .alreadyAttached(
        "\(twice) is on \(attachment.interface.record.containerInterface) of"
          + " \(attachment.interface.record.namespacePath) already; detach it first")
    }
    var added: [IPv4Prefix] = []
    do throws(HostNetworkError) {
      for address in addresses {
        try attachment.interface.addAddress(address)
        added.append(address)
      }
      try attachment.interface.announce(addresses)
    } catch {
      for address in added { _ = try? attachment.interface.removeAddress(address) }
      throw .host(error)
    }
  }

  private func take(
    _ addresses: [IPv4Prefix], from attachment: Attachment
  ) throws(ControlPlaneError) {
    var attachment = attachment
    do throws(HostNetworkError) {
      if addresses.count == attachment.interface.record.addresses.count {
        try delete(attachment)
        logger.info("detached", metadata: attachment.description)
      } else {
        for address in addresses { _ = try attachment.interface.removeAddress(address) }
        attachments[attachment.port] = attachment
      }
    } catch {
      throw .host(error)
    }
  }
}

extension ControlPlane.Attachment {
  func matches(_ inode: UInt64) -> Bool { interface.record.namespaceInode == inode }

  func matches(_ inode: UInt64, _ name: String?) -> Bool {
    matches(inode) && (name == nil || name == interface.record.containerInterface)
  }

  var description: Logger.Metadata {
    [
      "interface": "\(interface.hostEnd)", "netns": "\(interface.record.namespacePath)",
      "mac": "\(interface.record.mac)",
      "addresses": "\(interface.record.addresses.map(\.description).joined(separator: ","))",
    ]
  }
}

extension ContainerNamespace {
  /// Where the kernel shows the namespace.
  var networkNamespacePath: String {
    switch self {
    case .path(let path): path
    case .process(let process): NetworkNamespace.path(ofProcess: process)
    }
  }
}
