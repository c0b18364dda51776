// SPDX-License-Identifier: Apache-2.0

/// The word that somebody who wrote `text` most likely meant; nil if none is near.
package func nearestWord(to text: String, among words: [String]) -> String? {
  guard text.utf8.count <= 64 else { return nil }
  let written = Array(text.lowercased().utf8)
  let distanceMax = max(1, min(3, written.count / 3))
  let distances = words.map { editDistance(written, Array($0.lowercased().utf8)) }
  guard let least = distances.min(), least <= distanceMax,
    let index = distances.firstIndex(of: least)
  else { return nil }
  return words[index]
}

/// How many bytes to insert, remove, replace or swap with their neighbour to get from one to the
/// other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...right.count)
  for (row, byte) in left.enumerated() {
    var current = [row + 1]
    for (column, other) in right.enumerated() {
      var distance = min(
        previous[column] + (byte == other ? 0 : 1), previous[column + 1] + 1, current[column] + 1)
      if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
        distance = min(distance, beforePrevious[column - 1] + 1)
      }
      current.append(distance)
    }
    (beforePrevious, previous) = (previous, current)
  }
  return previous[right.count]
}

/// Words as a sentence lists them: `a, b or c`.
package func listed(_ words: [String], _ conjunction: String) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return "\(words.dropLast().joined(separator: ", ")) \(conjunction) \(last)"
}
