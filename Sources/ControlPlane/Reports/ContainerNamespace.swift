// SPDX-License-Identifier: Apache-2.0

/// The network namespace a request is about: a file that stands for it, or a process inside it.
package enum ContainerNamespace: Hashable, Sendable {
  /// An absolute path such as `/run/netns/c1`.
  case path(String)
  /// The id of a process in the namespace, as weftd sees it.
  case process(Int32)

  /// Bytes a path may have; the kernel takes no longer one.
  package static let pathLengthMax = 4096

  /// Checks the two fields of a request that name a namespace: exactly one, and usable.
  init<Request: StrictRequest>(
    netns: String?, pid: Int32?, of request: Request.Type
  ) throws(RequestError) {
    switch (netns, pid) {
    case (let path?, nil):
      try Self.check(path: path, accepted: Request.accepted("netns"))
      self = .path(path)
    case (nil, let pid?):
      guard pid > 0 else {
        throw RequestError(
          "\(pid) is not a process id", field: "pid", accepted: Request.accepted("pid"))
      }
      self = .process(pid)
    case (nil, nil):
      throw RequestError(
        "the request names no network namespace", field: "netns", accepted: "either netns or pid")
    case (_?, _?):
      throw RequestError(
        "the request names both netns and pid", field: "pid", accepted: "either netns or pid")
    }
  }

  private static func check(path: String, accepted: String) throws(RequestError) {
    guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= pathLengthMax,
      path.utf8.allSatisfy({ $0 != 0 })
    else {
      throw RequestError(
        "the namespace is not an absolute path", field: "netns", accepted: accepted)
    }
  }
}

extension ContainerNamespace: CustomStringConvertible {
  /// The path, or `pid 42`.
  package var description: String {
    switch self {
    case .path(let path): path
    case .process(let pid): "pid \(pid)"
    }
  }
}
