// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import ControlAPI
import Foundation

/// Where weftd is.
struct SocketOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "weftd's socket; else WEFT_SOCKET, else \(ControlClient.defaultSocketPath).",
      valueName: "path"))
  var socket: String?

  /// Asks weftd; an error has been printed when this throws.
  func ask<Answer>(
    _ question: (ControlClient) async throws(ControlClientError) -> Answer
  ) async throws -> Answer {
    do {
      return try await question(client)
    } catch {
      throw Failure.exit(error)
    }
  }

  private var client: ControlClient {
    let environment = ProcessInfo.processInfo.environment["WEFT_SOCKET"] ?? ""
    let usual = environment.isEmpty ? ControlClient.defaultSocketPath : environment
    return ControlClient(socketPath: socket ?? usual)
  }
}

/// Where weftd is and in what form its answer is printed.
struct ConnectionOptions: ParsableArguments {
  @OptionGroup var daemon: SocketOptions

  @Flag(help: "Print the API's JSON instead of text.")
  var json = false

  /// Asks weftd and prints its answer as JSON or as what `text` makes of it.
  func show<Answer: Encodable>(
    _ ask: (ControlClient) async throws(ControlClientError) -> Answer, as text: (Answer) -> String
  ) async throws {
    let answer = try await daemon.ask(ask)
    print(json ? try JSONForm.pretty(answer) + "\n" : text(answer), terminator: "")
  }
}

/// The exit codes that ArgumentParser does not know of; their names are those of `sysexits.h`.
enum Failure {
  /// Prints the error to standard error as one sentence; the result ends the program when thrown.
  static func exit(_ error: ControlClientError) -> ExitCode {
    FileHandle.standardError.write(Data("weft: \(error)\n".utf8))
    return code(error)
  }

  private static func code(_ error: ControlClientError) -> ExitCode {
    switch error {
    case .notRunning, .timedOut: ExitCode(69)  // EX_UNAVAILABLE
    case .permissionDenied: ExitCode(77)  // EX_NOPERM
    case .unusablePath: .validationFailure  // EX_USAGE, 64
    case .refused, .broken: .failure
    }
  }
}
