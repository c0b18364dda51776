// SPDX-License-Identifier: Apache-2.0

package import ControlPlane

/// Why a request to the daemon brought no result.
package enum ControlClientError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no socket at the path, or nobody listens on it.
  case notRunning(path: String)
  /// The socket is there, but not for us.
  case permissionDenied(path: String)
  /// The path cannot be a socket's.
  case unusablePath(String)
  /// The daemon took the request and did not answer in time.
  case timedOut(path: String, seconds: Int64)
  /// The daemon refused; the status and the body of its answer.
  case refused(status: UInt, ErrorReport)
  /// The connection broke or the answer makes no sense.
  case broken(path: String, reason: String)

  /// The error in one sentence.
  package var description: String {
    switch self {
    case .notRunning(let path):
      "weftd does not answer on \(path): is it running? give --socket or WEFT_SOCKET"
    case .permissionDenied(let path):
      "no permission to open \(path): run as root"
    case .unusablePath(let path):
      "'\(path)' cannot be a socket: give a path of at most \(SocketFile.pathLengthMax) bytes"
    case .timedOut(let path, let seconds):
      "weftd on \(path) did not answer within \(seconds) s"
    case .refused(_, let report):
      report.accepted.map { "\(report.error): give \($0)" } ?? report.error
    case .broken(let path, let reason):
      "the conversation with weftd on \(path) broke off: \(reason)"
    }
  }
}
