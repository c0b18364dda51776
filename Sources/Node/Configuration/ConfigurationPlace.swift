// SPDX-License-Identifier: Apache-2.0

/// Where a key's value is in a `Configuration`, to compare and to copy it.
///
/// A section that may be repeated has one place for all of its keys; one that says something by
/// being there has a place of its own besides those of its keys. A new key needs a line in
/// `all`, and whoever runs the daemon to hand a reloadable one on, in `Daemon`.
struct ConfigurationPlace: Sendable {
  /// The key with its section, or the name of a section.
  let name: String
  /// What makes a running weftd use another value.
  let takesEffect: ConfigurationKey.Effect
  /// Whether both have the same value there.
  let isSame: @Sendable (Configuration, Configuration) -> Bool
  /// Copies the value from the first to the second.
  let copy: @Sendable (_ source: Configuration, _ target: inout Configuration) -> Void
  /// Whether a change that a reload could make otherwise is one for the next start.
  var needsRestart: @Sendable (_ running: Configuration, _ file: Configuration) -> Bool = { _, _ in
    false
  }

  /// All places, in the order of the reference.
  static let all = [
    key(ConfigurationSettings.logLevel, at: \.logLevel),
    key(ConfigurationSettings.interface, at: \.underlay.interface),
    key(ConfigurationSettings.underlayMode, at: \.underlay.mode),
    key(ConfigurationSettings.vxlanPort, at: \.underlay.vxlanPort),
    key(ConfigurationSettings.xdp, at: \.underlay.xdp),
    key(ConfigurationSettings.cores, at: \.workers.cores),
    key(ConfigurationSettings.idle, at: \.workers.idle),
    key(ConfigurationSettings.frames, at: \.workers.frames),
    key(ConfigurationSettings.mtu, at: \.overlay.mtu),
    key(ConfigurationSettings.socket, at: \.api.socket),
    key(ConfigurationSettings.onStop, at: \.attachments.onStop),
    key(ConfigurationSettings.attachmentsXDP, at: \.attachments.xdp),
    ConfigurationPlace(
      name: "mesh", takesEffect: .restart, isSame: { $0.hasMesh == $1.hasMesh },
      copy: { $1.hasMesh = $0.hasMesh }),
    meshKey(ConfigurationSettings.meshName, at: \.mesh.name),
    meshKey(ConfigurationSettings.nickname, at: \.mesh.nickname),
    meshKey(ConfigurationSettings.meshPort, at: \.mesh.port),
    meshKey(ConfigurationSettings.listen, at: \.mesh.listenAddress),
    meshKey(ConfigurationSettings.peers, at: \.mesh.peers),
    passwords(ConfigurationSettings.passwordFile, at: \.mesh.passwordFile, \.mesh.password),
    passwords(
      ConfigurationSettings.acceptedPasswordFiles, at: \.mesh.acceptedPasswordFiles,
      \.mesh.acceptedPasswords),
    meshKey(ConfigurationSettings.cipher, at: \.mesh.cipher),
    meshKey(ConfigurationSettings.rekeySeconds, at: \.mesh.rekeySeconds),
    meshKey(ConfigurationSettings.discovery, at: \.mesh.hasDiscovery),
    meshKey(ConfigurationSettings.connectionLimit, at: \.mesh.connectionCountMax),
    meshKey(ConfigurationSettings.trustedSubnets, at: \.mesh.trustedSubnets),
    sections("vtep", changedBy: .reload, at: \.vteps),
    sections("fault", changedBy: .reload, at: \.faults),
  ]

  private static func key<Value: Equatable & Sendable>(
    _ setting: ConfigurationSetting<Value>,
    at path: any WritableKeyPath<Configuration, Value> & Sendable
  ) -> ConfigurationPlace {
    ConfigurationPlace(
      name: setting.key.dottedName, takesEffect: setting.key.takesEffect,
      isSame: { $0[keyPath: path] == $1[keyPath: path] },
      copy: { $1[keyPath: path] = $0[keyPath: path] })
  }

  /// A key of a mesh that both have: whether only one has it is told at `mesh`.
  private static func meshKey<Value: Equatable & Sendable>(
    _ setting: ConfigurationSetting<Value>,
    at path: any WritableKeyPath<Configuration, Value> & Sendable
  ) -> ConfigurationPlace {
    let place = key(setting, at: path)
    return ConfigurationPlace(
      name: place.name, takesEffect: place.takesEffect,
      isSame: { $0.hasMesh != $1.hasMesh || place.isSame($0, $1) }, copy: place.copy)
  }

  /// Files and what was read from them, which may be another although they have the same names.
  private static func passwords<Names: Equatable & Sendable, Passwords: Equatable & Sendable>(
    _ setting: ConfigurationSetting<Names>,
    at names: any WritableKeyPath<Configuration, Names> & Sendable,
    _ contents: any WritableKeyPath<Configuration, Passwords> & Sendable
  ) -> ConfigurationPlace {
    let place = meshKey(setting, at: names)
    return ConfigurationPlace(
      name: place.name, takesEffect: place.takesEffect,
      isSame: {
        place.isSame($0, $1)
          && ($0.hasMesh != $1.hasMesh || $0[keyPath: contents] == $1[keyPath: contents])
      },
      copy: {
        place.copy($0, &$1)
        $1[keyPath: contents] = $0[keyPath: contents]
      }, needsRestart: Configuration.differInEncryption)
  }

  /// Sections of which there may be several; their order means nothing.
  private static func sections<Element: Hashable & Sendable>(
    _ name: String, changedBy effect: ConfigurationKey.Effect,
    at path: any WritableKeyPath<Configuration, [Element]> & Sendable
  ) -> ConfigurationPlace {
    ConfigurationPlace(
      name: name, takesEffect: effect,
      isSame: { Set($0[keyPath: path]) == Set($1[keyPath: path]) },
      copy: { $1[keyPath: path] = $0[keyPath: path] })
  }
}

/// What a running weftd does about a file that was changed.
package struct ConfigurationChanges: Equatable, Sendable {
  /// Keys whose new values it has taken over.
  package var taken: [String] = []
  /// Keys whose new values wait for the next start.
  package var waiting: [String] = []
}

extension Configuration {
  /// Takes over from `file` what needs no restart, and says which keys differ.
  package mutating func adopt(_ file: Configuration) -> ConfigurationChanges {
    var changes = ConfigurationChanges()
    for place in ConfigurationPlace.all where !place.isSame(self, file) {
      if place.takesEffect == .restart || place.needsRestart(self, file) {
        changes.waiting.append(place.name)
      } else {
        place.copy(file, &self)
        changes.taken.append(place.name)
      }
    }
    return changes
  }
}
