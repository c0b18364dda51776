// SPDX-License-Identifier: Apache-2.0

/// Which functions a function calls, read from a disassembly as objdump prints it.
///
/// A call is a `call` instruction, or a jump into another function, which is how a call at a
/// function's end is compiled. Jumps through a register are a `switch`'s table.
struct CallGraph {
  /// A call that has no place in a breath.
  struct Finding: Equatable, CustomStringConvertible {
    let caller: String
    /// The function called, or the instruction if it names none.
    let callee: String

    var description: String { "\(caller) calls \(callee)" }
  }

  /// Functions that were walked, in the order they were found.
  private(set) var reached: [String] = []
  /// Calls that lead out of the walked modules to something that is not allowed.
  private(set) var findings: [Finding] = []

  /// Walks from `root` through every function of which `isOurs` holds.
  ///
  /// - Parameters:
  ///   - root: the function to begin with.
  ///   - isOurs: whether a function is walked.
  ///   - allowed: functions outside that may be called.
  ///   - disassembly: returns a function's instructions, one a line.
  init(
    from root: String, isOurs: (String) -> Bool, allowed: Set<String>,
    disassembly: (String) throws -> String
  ) rethrows {
    reached = [root]
    var next = 0
    while next < reached.count {
      let caller = reached[next]
      next += 1
      for callee in CallGraph.callees(of: caller, in: try disassembly(caller)) {
        if isOurs(callee) {
          if !reached.contains(callee) { reached.append(callee) }
        } else if !allowed.contains(callee) {
          findings.append(Finding(caller: caller, callee: callee))
        }
      }
    }
  }

  /// What the instructions of `function` call, without the function itself; a call through a
  /// register or memory is the instruction as it stands.
  static func callees(of function: String, in text: String) -> [String] {
    var callees: [String] = []
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: "\t", maxSplits: 1)
      guard fields.count == 2, line.first == " " else { continue }
      let instruction = fields[1].drop { $0 == " " }
      let isCall = instruction.hasPrefix("call")
      guard isCall || instruction.hasPrefix("j") else { continue }
      if let target = target(of: instruction) {
        if target != function && !callees.contains(target) { callees.append(target) }
      } else if isCall {
        callees.append(String(instruction))
      }
    }
    return callees
  }

  /// The symbol in angle brackets at the end, without offset and without `@plt`.
  private static func target(of instruction: Substring) -> String? {
    guard instruction.last == ">", let start = instruction.lastIndex(of: "<") else { return nil }
    let name = instruction[instruction.index(after: start)...].dropLast()
    return String(name.prefix { $0 != "+" && $0 != "@" })
  }
}
