// SPDX-License-Identifier: Apache-2.0

import Sealing

extension Configuration {
  /// Reads the secrets of the mesh, if there are a mesh and secrets.
  mutating func readPasswords(
    from environment: [String: String], into issues: inout ConfigurationIssues
  ) {
    guard hasMesh else { return }
    let reading = MeshPassword.read(file: mesh.passwordFile, environment: environment)
    mesh.password = reading.value
    let key = ConfigurationSettings.passwordFile.key
    for complaint in reading.complaints {
      issues.add(
        line: origin.passwordFileLine, key: key.dottedName, complaint.message,
        accepted: key.accepted)
    }
    readAcceptedPasswords(into: &issues)
    guard !mesh.acceptedPasswordFiles.isEmpty, mesh.password == nil, reading.complaints.isEmpty
    else { return }
    issues.add(
      line: origin.acceptedPasswordsLine,
      key: ConfigurationSettings.acceptedPasswordFiles.key.dottedName,
      "there is no password of our own, and nothing is encrypted",
      accepted: "this key beside password_file, or neither")
  }

  private mutating func readAcceptedPasswords(into issues: inout ConfigurationIssues) {
    let key = ConfigurationSettings.acceptedPasswordFiles.key
    var known: [(name: String, password: Password)] = []
    if let own = mesh.password { known.append(("our own", own)) }
    for path in mesh.acceptedPasswordFiles where path != mesh.passwordFile {
      var reading = MeshPassword.read(file: path, environment: [:])
      if let password = reading.value,
        let same = known.first(where: { $0.password == password })
      {
        reading = .bad("\(Quoted.text(path)) has the same password as \(same.name)")
      }
      for complaint in reading.complaints {
        issues.add(
          line: origin.acceptedPasswordLines[path], key: key.dottedName, complaint.message,
          accepted: key.accepted)
      }
      guard let password = reading.value else { continue }
      known.append((Quoted.text(path), password))
      mesh.acceptedPasswords.append(password)
    }
  }

  /// Whether one of two meshes is encrypted and the other is not: no reload makes that of it.
  static func differInEncryption(_ one: Configuration, _ other: Configuration) -> Bool {
    (one.mesh.password == nil) != (other.mesh.password == nil)
  }
}

extension ConfigurationReader {
  /// The line each accepted file is on.
  func acceptedPasswordLines(_ section: Section) -> [String: Int] {
    let node = section.members[ConfigurationSettings.acceptedPasswordFiles.key.name]
    guard case .array(let elements)? = node?.content else { return [:] }
    let lines = elements.compactMap { element in
      if case .text(let path) = element.content { (path, element.line) } else { nil }
    }
    return Dictionary(lines) { first, _ in first }
  }

  /// Notes our own password among those that are accepted besides: half of a change was made.
  mutating func refuseOwnPassword(of mesh: Configuration.Mesh) {
    let key = ConfigurationSettings.acceptedPasswordFiles.key
    guard let own = mesh.passwordFile, mesh.acceptedPasswordFiles.contains(own) else { return }
    issues.add(
      line: origin.acceptedPasswordLines[own], key: key.dottedName,
      "\(Quoted.text(own)) is mesh.password_file already", accepted: key.accepted)
  }
}
