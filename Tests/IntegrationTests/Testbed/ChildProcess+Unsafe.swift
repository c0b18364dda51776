// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A process that was started here, by posix_spawn.
///
/// Foundation's `Process` is not used: its children inherit the signals that are blocked on the
/// starting thread, which for threads of the dispatch library are nearly all, so that nobody can
/// ask them to end; and `run()` was seen to crash while processes ended.
///
/// Pointers live for one call, except for the words, which are freed after it.
struct ChildProcess {
  /// The process's id, which is also that of its group.
  let id: pid_t

  /// Starts a program found in the PATH with no input, and its output in two new files.
  init(_ words: [String], environment: [String: String], output: String, errors: String) throws {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for (descriptor, file) in [(Int32(1), output), (2, errors)] {
      unsafe posix_spawn_file_actions_addopen(
        &actions, descriptor, file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o644)
    }

    var attributes = posix_spawnattr_t()
    var none = sigset_t()
    var all = sigset_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

    let pairs = environment.map { "\($0)=\($1)" }
    var arguments = unsafe (words.map { unsafe strdup($0) }) + [nil]
    var variables = unsafe (pairs.map { unsafe strdup($0) }) + [nil]
    defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
    var id: pid_t = 0
    let error = unsafe posix_spawnp(
      &id, words[0], &actions, &attributes, &arguments, &variables)
    guard error == 0 else { throw TestbedError("'\(words[0])' was not started: error \(error)") }
    self.id = id
  }

  /// The exit code, or 128 + the signal that killed it; nil while it runs.
  ///
  /// To be asked until it answers and not again: then the id may be somebody else's.
  func exitCode() -> Int32? {
    var status: Int32 = 0
    switch unsafe waitpid(id, &status, WNOHANG) {
    case 0: return nil
    case id: return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    default: return errno == EINTR ? nil : -1
    }
  }
}
