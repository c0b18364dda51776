// SPDX-License-Identifier: Apache-2.0

import Foundation
import Glibc
import Testing

/// Whether this process may load programs and make namespaces.
let isRoot = geteuid() == 0

/// What a run without root reports for each test that it leaves out.
let rootComment: Comment = "not run: needs root, for bpf(2) and network namespaces"

struct TestFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  static func errno(_ call: String) -> TestFailure {
    TestFailure("\(call) failed with errno \(Glibc.errno)")
  }
}

/// Runs `body` on a thread of its own, in a network namespace that nobody else sees.
///
/// The namespace has no name and goes with the thread and the last socket in it, so that nothing is
/// left behind however the test ends. IPv6 is off in it: nothing is sent that a test did not send.
func inNewNamespace<Value: Sendable>(
  _ body: @Sendable () throws -> Value
) async throws -> Value {
  try await onOwnThread {
    // CLONE_NEWNET; glibc declares unshare for those only who ask for its extensions.
    let unshare = unsafe unsafeBitCast(
      try function("unshare"), to: (@convention(c) (CInt) -> CInt).self)
    guard unshare(0x4000_0000) == 0 else { throw TestFailure.errno("unshare") }
    for scope in ["all", "default"] {
      try write("1", to: "/proc/sys/net/ipv6/conf/\(scope)/disable_ipv6")
    }
    return try body()
  }
}

/// A function of the C library that Swift does not see the declaration of.
func function(_ name: String) throws -> UnsafeMutableRawPointer {
  guard let address = unsafe dlsym(nil, name) else { throw TestFailure("there is no \(name)") }
  return unsafe address
}

/// Runs `body` on a thread that nothing else runs on, before or after; the test's own expectations
/// work in it.
func onOwnThread<Value: Sendable>(
  _ body: @Sendable () throws -> Value
) async throws -> Value {
  let thread = ThreadExecutor()
  defer { thread.stop() }
  return try await withTaskExecutorPreference(thread) { try body() }
}

private final class ThreadExecutor: TaskExecutor, @unchecked Sendable {
  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []
  private var isStopped = false

  init() {
    Thread.detachNewThread { [self] in
      while let job = next() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    condition.withLock { jobs.append(job) }
    condition.signal()
  }

  func stop() {
    condition.withLock { isStopped = true }
    condition.signal()
  }

  private func next() -> UnownedJob? {
    condition.lock()
    defer { condition.unlock() }
    while jobs.isEmpty, !isStopped { condition.wait() }
    return jobs.isEmpty ? nil : jobs.removeFirst()
  }
}

/// Runs a program in the namespace of the calling thread, and throws unless it ends with 0.
func run(_ command: String) throws {
  let process = try spawn(command)
  var status: CInt = 0
  guard unsafe waitpid(process, &status, 0) == process, status == 0 else {
    throw TestFailure("'\(command)' ended with status \(status)")
  }
}

/// Starts a program in the namespace of the calling thread.
///
/// `inheriting` becomes its descriptor 100.
func spawn(_ command: String, inheriting descriptor: CInt? = nil) throws -> pid_t {
  var actions = unsafe posix_spawn_file_actions_t()
  unsafe posix_spawn_file_actions_init(&actions)
  defer { unsafe posix_spawn_file_actions_destroy(&actions) }
  if let descriptor { unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, 100) }
  var arguments = unsafe command.split(separator: " ").map { unsafe strdup(String($0)) } + [nil]
  defer { unsafe arguments.forEach { unsafe free($0) } }
  guard let path = unsafe arguments[0] else { throw TestFailure("no command") }
  var process: pid_t = 0
  let result = unsafe posix_spawnp(&process, path, &actions, nil, &arguments, environ)
  guard result == 0 else { throw TestFailure("starting '\(command)' failed with errno \(result)") }
  return process
}

/// Makes the veth pair `left` and `right` with one queue between them, and brings both ends up.
func makePair() throws {
  try run(
    "ip link add left numrxqueues 1 numtxqueues 1 "
      + "type veth peer name right numrxqueues 1 numtxqueues 1")
  try run("ip link set left address 02:00:00:00:00:01")
  try run("ip address add 192.0.2.1/24 dev left")
  try run("ip link set left up")
  try run("ip link set right up")
}

func interfaceIndex(_ name: String) throws -> UInt32 {
  let index = unsafe if_nametoindex(name)
  guard index != 0 else { throw TestFailure("there is no interface \(name)") }
  return index
}

/// Asks again and again until it is so, for twenty seconds: machines are busy.
func eventually(_ isSo: () throws -> Bool) rethrows -> Bool {
  for _ in 0..<4000 {
    if try isSo() { return true }
    usleep(5000)
  }
  return try isSo()
}

private func write(_ text: String, to path: String) throws {
  let file = unsafe open(path, O_WRONLY)
  guard file >= 0 else { throw TestFailure.errno("open \(path)") }
  defer { _ = close(file) }
  guard unsafe Glibc.write(file, text, text.utf8.count) == text.utf8.count else {
    throw TestFailure.errno("write \(path)")
  }
}
