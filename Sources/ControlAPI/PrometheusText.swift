// SPDX-License-Identifier: Apache-2.0

/// Metrics in Prometheus' text format, version 0.0.4.
///
/// Samples of one name stand together, behind what they mean and what sort of number they are.
struct PrometheusText {
  /// What readers may do with a number.
  enum Kind: String {
    /// It only grows while weftd runs; take its rate.
    case counter
    /// It is what it is at this moment.
    case gauge
  }

  /// One number.
  struct Sample {
    /// Tell it from the others of its name, in their order.
    let labels: [(name: String, value: String)]
    fileprivate let written: String

    /// A whole number.
    init(_ value: UInt64, _ labels: [(name: String, value: String)] = []) {
      self.labels = labels
      written = "\(value)"
    }

    /// Any number, also one that is none.
    init(_ value: Double, _ labels: [(name: String, value: String)] = []) {
      self.labels = labels
      written =
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
    }
  }

  /// The media type that goes with the text.
  static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

  /// What was written so far; each line ends in a line break.
  private(set) var text = ""

  /// Writes all samples of a name; nothing if there are none.
  mutating func write(
    _ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]
  ) {
    guard !samples.isEmpty else { return }
    text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
    for sample in samples {
      text += "\(name)\(Self.written(sample.labels)) \(sample.written)\n"
    }
  }

  private static func written(_ labels: [(name: String, value: String)]) -> String {
    guard !labels.isEmpty else { return "" }
    let pairs = labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
    return "{\(pairs.joined(separator: ","))}"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped += "\\\\"
      case "\n": escaped += "\\n"
      case "\"" where quotes: escaped += "\\\""
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}
