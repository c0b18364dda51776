// SPDX-License-Identifier: Apache-2.0

import FuzzTargets
import Glibc

// Joins the targets to libFuzzer, whose `main` this program has. CONTRIBUTING.md tells how to run
// it; the environment says which target.

private let variable = "WEFT_FUZZ_TARGET"

private let target: FuzzTarget? = unsafe getenv(variable).flatMap {
  unsafe FuzzTarget(rawValue: String(cString: $0))
}

/// Called by libFuzzer once for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func feed(_ start: UnsafePointer<UInt8>?, _ length: Int) -> CInt {
  guard let target else {
    let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
    print("Set \(variable) to one of: \(names)")
    exit(2)
  }
  do {
    try target.run(unsafe Array(UnsafeBufferPointer(start: start, count: length)))
  } catch {
    print("broken promise: \(error)")
    fflush(nil)
    abort()
  }
  return 0
}
