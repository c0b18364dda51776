// SPDX-License-Identifier: Apache-2.0

// Runs the data plane's parts one by one, so that what each of them costs can be counted.
//
// A `Workload` is an operation with the state it works on; a `Benchmark` gives it a name and says
// how many items one run of it handles. `Meter` runs a benchmark and takes its measure:
// instructions if the program runs under callgrind, as `Benchmarks/check` does, or time. The files
// named …Benchmarks hold the benchmarks of one module each; `Scene` and `MemorySwitch` are what
// those of the data plane work on.

internal import CCounting
internal import Glibc

@main
enum Microbenchmarks {
  static var all: [Benchmark] {
    WireBenchmarks.all + TablesBenchmarks.all + ForwardingBenchmarks.all + RoutingBenchmarks.all
      + StageBenchmarks.all + WorkerBenchmarks.all
  }

  static let usage = """
    usage: microbenchmarks list | count [PREFIX...] | time [PREFIX...]
      list    prints the names of all benchmarks
      count   runs them for callgrind to count; Benchmarks/check starts it so
      time    prints nanoseconds and millions a second for an item of each

    """

  static func main() {
    let arguments = CommandLine.arguments.dropFirst()
    let prefixes = arguments.dropFirst()
    let chosen = all.filter { benchmark in
      prefixes.isEmpty || prefixes.contains { benchmark.name.hasPrefix($0) }
    }
    switch arguments.first {
    case "list": for benchmark in all { print(benchmark.name) }
    case "count" where ccounting_is_counting(): run(chosen, .instructions)
    case "time": run(chosen, .time)
    default:
      print(usage, terminator: "")
      exit(2)
    }
  }

  private static func run(_ chosen: [Benchmark], _ quantity: Meter.Quantity) {
    guard !chosen.isEmpty else {
      print("no benchmark has such a name; the command list prints them all")
      exit(2)
    }
    for benchmark in chosen {
      do {
        print(benchmark.name, try benchmark.measure(Meter(quantity, name: benchmark.name)))
      } catch {
        print("\(benchmark.name) failed: \(error)")
        exit(1)
      }
    }
  }
}
