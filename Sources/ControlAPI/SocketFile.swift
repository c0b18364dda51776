// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The file of the API's unix socket: who may have it, how it appears and how it goes away.
///
/// A socket is connectable from the moment it is bound, with whatever mode the umask left. So it
/// is bound in a directory that only we can enter, gets its mode there and is then moved to its
/// path, where it appears complete or not at all. A file left behind by a daemon that was killed
/// is replaced in that moment, but only after a connection to it was refused.
struct SocketFile: Sendable {
  /// Where clients look for it.
  let path: String

  /// Bytes SwiftNIO takes in a socket's address; Linux itself would take four more.
  static let pathLengthMax = 103
  /// Bytes of the name that the socket is bound to below its directory: `.` six digits `/s`.
  private static let hiddenNameLength = 9

  /// What tells one file from another that took its path.
  ///
  /// As text, since the type of the numbers depends on which Foundation the process has loaded.
  struct Identity: Equatable, Sendable {
    let device: String
    let number: String
  }

  private var directory: String {
    path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/\($1)" }
  }

  /// Makes the directory if it is missing and makes sure that no other daemon answers.
  func prepare() async throws(ControlServerError) {
    let length = max(path.utf8.count, directory.utf8.count + 1 + Self.hiddenNameLength)
    guard path.utf8.first == UInt8(ascii: "/"), path.utf8.last != UInt8(ascii: "/"),
      !path.utf8.contains(0), length <= Self.pathLengthMax
    else { throw .unusablePath(path) }
    try makeDirectory(directory, mode: 0o755)
    guard let type = attributes(path)?[.type] as? FileAttributeType else { return }
    guard type == .typeSocket else { throw .notASocket(path) }
    do {
      _ = try await ControlClient(socketPath: path, timeout: .seconds(2)).status()
    } catch {
      if case .notRunning = error { return }
    }
    throw .anotherServer(path)
  }

  /// Makes a directory that only we can enter; returns the path in it to bind to.
  func makeHiddenPlace() throws(ControlServerError) -> String {
    let number = UInt32.random(in: 0x10_0000...0xFF_FFFF)
    let hidden = "\(directory)/.\(String(number, radix: 16))"
    try makeDirectory(hidden, mode: 0o700)
    return "\(hidden)/s"
  }

  /// Gives the bound socket at `hidden` its mode and moves it to its path.
  func publish(from hidden: String) throws(ControlServerError) -> Identity {
    do {
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: hidden)
      if attributes(path)?[.type] as? FileAttributeType == .typeSocket {
        try FileManager.default.removeItem(atPath: path)
      }
      try FileManager.default.moveItem(atPath: hidden, toPath: path)
    } catch {
      throw .fileSystem("the socket cannot be put at \(path)", reason(error))
    }
    guard let identity = identity() else {
      throw .fileSystem("the socket was put at \(path)", "it is not there")
    }
    return identity
  }

  /// Removes the hidden directory, with the socket if it is still there.
  func removeHiddenPlace(_ hidden: String) {
    try? FileManager.default.removeItem(atPath: String(hidden.dropLast(2)))
  }

  /// Removes the file if it is still the one that was published.
  func remove(_ published: Identity) {
    guard identity() == published else { return }
    try? FileManager.default.removeItem(atPath: path)
  }

  private func makeDirectory(_ directory: String, mode: Int) throws(ControlServerError) {
    guard !directory.isEmpty, attributes(directory) == nil else { return }
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true,
        attributes: [.posixPermissions: mode])
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: directory)
    } catch {
      throw .fileSystem("the directory \(directory) cannot be made", reason(error))
    }
  }

  private func identity() -> Identity? {
    guard let attributes = attributes(path), let device = attributes[.systemNumber],
      let number = attributes[.systemFileNumber]
    else { return nil }
    return Identity(device: "\(device)", number: "\(number)")
  }

  /// The attributes of the file itself, symbolic links not followed; nil if there is none.
  private func attributes(_ path: String) -> [FileAttributeKey: Any]? {
    try? FileManager.default.attributesOfItem(atPath: path)
  }

  private func reason(_ error: any Error) -> String {
    guard let error = error as? CocoaError else { return "\(error)" }
    return switch error.code {
    case .fileWriteNoPermission, .fileReadNoPermission: "permission denied"
    case .fileWriteVolumeReadOnly: "the file system is read-only"
    case .fileWriteOutOfSpace: "no space left"
    case .fileWriteFileExists: "there is a file in the way"
    case .fileNoSuchFile, .fileReadNoSuchFile: "a directory above it is missing"
    default: "the file system refused (\(error.code.rawValue))"
    }
  }
}
