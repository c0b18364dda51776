// SPDX-License-Identifier: Apache-2.0

import Foundation
import HostNetwork
import Testing

extension KernelTests {
  @Suite struct NetworkNamespaceTests {
    @Test func visitSeesTheNamespaceAndTheCallerStaysWhereItIs() throws {
      try withNamespaces(1) { namespaces in
        let before = try NetworkNamespace.own().identity
        let namespace = try NetworkNamespace(path: namespaces[0].path)
        let links = try namespace.run { () throws(HostNetworkError) in
          var netlink = try NetlinkSocket()
          return try netlink.links().map(\.name)
        }
        #expect(links == ["lo"])
        #expect(try NetworkNamespace.own().identity == before)
        #expect(namespace.identity != before)
      }
    }

    @Test func visitorsErrorComesBack() throws {
      try withNamespaces(1) { namespaces in
        #expect(throws: HostNetworkError.interfaceMissing(name: "absent")) {
          try namespaces[0].run { () throws(HostNetworkError) in
            var netlink = try NetlinkSocket()
            _ = try netlink.existingLink(named: "absent")
          }
        }
      }
    }

    @Test func ownNamespaceIsKnownByAnyPath() throws {
      let process = ProcessInfo.processInfo.processIdentifier
      let own = try NetworkNamespace(path: NetworkNamespace.path(ofProcess: process))
      #expect(try own.isOwn)
      try withNamespaces(1) { namespaces in
        #expect(try !NetworkNamespace(path: namespaces[0].path).isOwn)
        let path = namespaces[0].path
        let isOwnInside = try namespaces[0].run { () throws(HostNetworkError) in
          try NetworkNamespace(path: path).isOwn
        }
        #expect(isOwnInside)
      }
    }

    @Test func inodeIsWhatOtherToolsShow() throws {
      try withNamespaces(1) { namespaces in
        let namespace = try NetworkNamespace(path: namespaces[0].path)
        let judged = try namespaces[0].execute("readlink /proc/self/ns/net")
        #expect(judged == "net:[\(namespace.identity.inode)]\n")
      }
    }

    @Test(arguments: ["/dev/null", "/etc/passwd", "/proc/self/ns/uts", "/tmp"])
    func otherFilesAreRefusedByName(path: String) throws {
      let error = #expect(throws: HostNetworkError.self) {
        _ = try NetworkNamespace(path: path)
      }
      guard case .notANetworkNamespace(path, _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(error?.description.contains("/run/netns/NAME") == true)
    }

    @Test(arguments: ["/run/netns/absent", "/proc/4194305/ns/net", ""])
    func missingFileIsMissing(path: String) {
      #expect(throws: HostNetworkError.namespaceMissing(path: path)) {
        _ = try NetworkNamespace(path: path)
      }
    }

    @Test func pipeDoesNotBlock() throws {
      let path = NSTemporaryDirectory() + "hn-\(UInt32.random(in: 0 ... .max))"
      try shell("mkfifo \(path)")
      defer { try? FileManager.default.removeItem(atPath: path) }
      #expect(throws: HostNetworkError.self) { _ = try NetworkNamespace(path: path) }
    }
  }
}
