// SPDX-License-Identifier: Apache-2.0

/// What weftd's exit status means; numbers are those of sysexits.h where it has one.
package enum ExitCode: Int32, Sendable {
  /// It was stopped and has taken everything down, or the checked file is right.
  case stopped = 0
  /// Something failed that is not the user's to mend.
  case failed = 1
  /// The command line is wrong.
  case usage = 64
  /// The host cannot serve as it is: another weftd runs here, the socket cannot be made.
  case unavailable = 69
  /// It needs to be root.
  case permission = 77
  /// The configuration file is wrong, or does not fit the host: an interface is missing.
  case configuration = 78
}

/// Why weftd does not start or go on: one sentence, and the status to exit with.
package struct DaemonError: Error, Equatable, CustomStringConvertible {
  package let code: ExitCode
  package let description: String

  package init(_ code: ExitCode, _ description: String) {
    self.code = code
    self.description = description
  }
}
