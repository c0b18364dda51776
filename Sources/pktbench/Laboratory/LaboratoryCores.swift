// SPDX-License-Identifier: Apache-2.0

import HostNetwork

/// Which core sends and which one works; live scenarios need both.
struct LaboratoryCores: Equatable, Sendable {
  let generator: Int
  let worker: Int

  /// The first two of the cores this process may use.
  static func available() throws -> LaboratoryCores {
    let cores = try Machine().cores
    guard cores.count >= 2 else {
      throw ScenarioError(
        .unavailable,
        "a live scenario needs two cores, one to send and one to work, and this process may use "
          + "\(cores.count); run it with more (taskset, cpuset)")
    }
    return LaboratoryCores(generator: cores[0], worker: cores[1])
  }
}
