// SPDX-License-Identifier: Apache-2.0

import Testing

/// What the optimised machine code of a breath does: no reference counting, no allocation, no call
/// through a table, anywhere it can get to.
struct MachineCodeTests {
  /// Prefixes of the functions that are walked: the modules a breath may be in, and the C shims.
  private static let ours = [
    "$s9Dataplane", "$s10Forwarding", "$s6Tables", "$s9Telemetry", "$s3XDP", "$s4Wire", "$s4Inet",
    "$s7Sealing", "cintrinsics_", "clinux_", "cxdp_",
  ]
  /// What a breath may call besides: moving bytes, system calls, libraries' ciphers, and the end
  /// of a process whose stack was overwritten, which compilers put behind functions with an array
  /// on the stack.
  private static let allowed: Set = [
    "memcpy", "memmove", "memset", "sendto", "write", "epoll_ctl", "epoll_wait",
    "recvmmsg", "sendmmsg", "setsockopt", "crypto_stream_salsa20_xor_ic", "crypto_onetimeauth",
    "cciphers_aes256gcm_seal", "cciphers_aes256gcm_open", "cciphers_chacha20poly1305_seal",
    "cciphers_chacha20poly1305_open",
    "crypto_onetimeauth_verify", "sodium_memzero", "__errno_location", "__stack_chk_fail",
  ]

  @Test func breathNeitherCountsReferencesNorAllocates() throws {
    let binary = try ReleaseBinary()
    let graph = try CallGraph(
      from: try binary.function(containing: "9Dataplane6WorkerV7breatheSiyF"),
      isOurs: MachineCodeTests.isOurs, allowed: MachineCodeTests.allowed,
      disassembly: binary.disassembly(of:))
    #expect(graph.reached.count > 3, "walked \(graph.reached)")
    #expect(graph.findings.isEmpty)
    // The traced way is walked too, and is not mixed into the other.
    #expect(graph.reached.contains { $0.contains("carryTraced") }, "walked \(graph.reached)")
  }

  /// Control: where an array is made, the walker does find an allocation in the same binary.
  @Test func walkerFindsTheAllocationOfAFunctionThatMakesAnArray() throws {
    let binary = try ReleaseBinary()
    let values = try binary.function(containing: "9Telemetry12CounterBlockV6values8attempts")
    let graph = try CallGraph(
      from: values, isOurs: MachineCodeTests.isOurs, allowed: MachineCodeTests.allowed,
      disassembly: binary.disassembly(of:))
    #expect(!graph.findings.isEmpty)
  }

  @Test func walkerFollowsCallsAndJumpsAndNamesTheOffender() {
    let planted = [
      "$s9Dataplane1aF": """
      0000000000001000 <$s9Dataplane1aF>:
          1000:\tcall   2000 <$s6Tables1bF>
          1005:\tje     1010 <$s9Dataplane1aF+0x10>
          1007:\tjmp    *%rax
          1009:\tcall   5000 <memcpy@plt>
          100e:\tud2
      """,
      "$s6Tables1bF": """
      0000000000002000 <$s6Tables1bF>:
          2000:\tmov    %rax,%rdi
          2003:\tjmp    3000 <$s4Wire1cF>
          2008:\tcall   1000 <$s9Dataplane1aF>
      """,
      "$s4Wire1cF": """
      0000000000003000 <$s4Wire1cF>:
          3000:\tcallq  4000 <swift_retain@plt>
          3005:\tcall   *0x20(%rax)
          3008:\tjne    6000 <malloc@plt>
          300a:\tcall   *0x10(%rip)        # 7000 <swift_release@GLIBC>
      """,
    ]
    let graph = CallGraph(
      from: "$s9Dataplane1aF", isOurs: MachineCodeTests.isOurs, allowed: MachineCodeTests.allowed,
      disassembly: { planted[$0] ?? "" })
    #expect(graph.reached == ["$s9Dataplane1aF", "$s6Tables1bF", "$s4Wire1cF"])
    #expect(
      graph.findings.map(\.description)
        == ["swift_retain", "call   *0x20(%rax)", "malloc", "swift_release"].map {
          "$s4Wire1cF calls \($0)"
        })
  }

  private static func isOurs(_ name: String) -> Bool { ours.contains { name.hasPrefix($0) } }
}
