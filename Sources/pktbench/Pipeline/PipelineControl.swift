// SPDX-License-Identifier: Apache-2.0

import Forwarding
import Inet
import Routing
import Synchronization

/// The control plane's part of a pipeline benchmark, which any thread may play.
final class PipelineControl: Sendable {
  private let model: Mutex<ForwardingModel>

  /// Takes over a model that nobody else uses any more.
  init(_ model: consuming sending ForwardingModel) { self.model = Mutex(model) }

  /// Hands out the model to one thread at a time.
  func withModel<Result>(
    _ body: (inout ForwardingModel) throws -> sending Result
  ) rethrows -> sending Result {
    try model.withLock { try body(&$0) }
  }

  /// The generation of the published snapshot.
  var generation: UInt64 { withModel { $0.generation } }

  /// Moves far station `number` to another endpoint and publishes that; false if it was refused.
  func move(_ number: Int, round: Int) -> Bool {
    withModel { model in
      let endpoint = EndpointIndex(UInt16((number + round) % PipelineCast.endpointCount))
      model.learn(
        Hint(mac: PipelineCast.farMAC(number).bits, location: Location(endpoint)), nowSeconds: 0)
      return model.commit()
    }
  }
}
