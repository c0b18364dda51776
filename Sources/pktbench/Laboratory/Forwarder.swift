// SPDX-License-Identifier: Apache-2.0

/// What is built between the two ports of a bench and moves frames from one to the other.
protocol Forwarder {
  var bench: Bench { get }
  /// Takes its place on the processor, if it had left it.
  func wake() throws
  /// Throws unless a frame of each flow arrives as it should; it is awake.
  func prove() throws
  /// Leaves the processor to whoever is measured next.
  func rest() throws
  /// Measures once, while awake.
  func sample(_ load: Load) throws -> Sample
  /// Takes everything down.
  func close()
}

extension Forwarder {
  func wake() throws {}
  func prove() throws { try bench.prove() }
  func rest() throws {}

  /// Awake for as long as `body` takes.
  func awake<Value>(_ body: () throws -> Value) throws -> Value {
    try wake()
    let result = Result { try body() }
    try rest()
    return try result.get()
  }
}

/// What a generator is to send.
struct Load: Equatable, Sendable {
  /// For how long.
  var seconds: Double
  /// Frames in a second; nil for as many as the kernel takes.
  var pace: Double?
}
