// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// An open network namespace.
///
/// While the value lives the namespace does too, with every interface in it, even if its container
/// has ended; so it is opened for one piece of work and not kept.
package struct NetworkNamespace: ~Copyable, Sendable {
  private let descriptor: FileDescriptor
  /// The path it was opened by.
  package let path: String
  /// What tells it from other namespaces; the inode is what `lsns` and `readlink` show.
  package let identity: FileIdentity

  /// Opens the namespace at a path such as `/run/netns/NAME` or `/proc/PID/ns/net`.
  ///
  /// The file is looked at without being opened for reading first, as the path may come from a
  /// user and opening a device or a pipe can have effects.
  package init(path: String) throws(HostNetworkError) {
    let descriptor = try Self.open(path)
    let identity = try descriptor.identity(subject: path)
    self.descriptor = descriptor
    self.path = path
    self.identity = identity
  }

  /// The path of a process's network namespace.
  package static func path(ofProcess process: Int32) -> String { "/proc/\(process)/ns/net" }

  /// Opens the calling thread's own network namespace.
  package static func own() throws(HostNetworkError) -> NetworkNamespace {
    try NetworkNamespace(path: "/proc/thread-self/ns/net")
  }

  /// Makes a namespace that nobody else knows, with nothing in it but a loopback interface.
  ///
  /// It goes with the value, unless somebody else opens it or moves into it meanwhile.
  package static func make() throws(HostNetworkError) -> NetworkNamespace {
    let subject = "a new network namespace"
    let visit = Visit<Int32> { () throws(HostNetworkError) in
      try shimCall("unshare", subject: subject) { clinux_leave_for_new_network_namespace() }
      return try systemCall("open", subject: subject) {
        unsafe Glibc.open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
      }
    }
    let descriptor = FileDescriptor(owning: try visit.perform())
    return try NetworkNamespace(path: "/proc/self/fd/\(descriptor.rawValue)")
  }

  /// Whether it is the calling thread's own.
  package var isOwn: Bool {
    get throws(HostNetworkError) { try Self.own().identity == identity }
  }

  /// The descriptor, for attributes that name a namespace by one; valid while the value lives.
  package var rawDescriptor: Int32 { descriptor.rawValue }

  /// Runs `body` inside of the namespace, on a thread that exists only for it, and waits.
  ///
  /// A body whose errors are of another type returns them: `run { Result { try other() } }`.
  package borrowing func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws(HostNetworkError) -> Value
  ) throws(HostNetworkError) -> Value {
    let target = descriptor.rawValue
    let path = path
    let visit = Visit<Value> { () throws(HostNetworkError) in
      try shimCall("setns", subject: path) { clinux_enter_network_namespace(target) }
      return try body()
    }
    return try visit.perform()
  }

  private static func open(_ path: String) throws(HostNetworkError) -> FileDescriptor {
    do {
      let look = try FileDescriptor.open(path, flags: Int32(CLINUX_O_PATH))
      try checkKind(of: look, path: path)
      let descriptor = try FileDescriptor.open(path, flags: O_RDONLY | O_NONBLOCK)
      // Once more, as another file may be at the path by now.
      try checkKind(of: descriptor, path: path)
      try checkType(of: descriptor, path: path)
      return descriptor
    } catch .system(let error) where error.errno == ENOENT || error.errno == ESRCH {
      throw .namespaceMissing(path: path)
    }
  }

  private static func checkKind(
    of descriptor: borrowing FileDescriptor, path: String
  ) throws(HostNetworkError) {
    let number = descriptor.rawValue
    let answer = try shimCall("fstatfs", subject: path) { clinux_is_namespace_file(number) }
    guard answer == 1 else {
      throw .notANetworkNamespace(path: path, reason: "it is another kind of file")
    }
  }

  private static func checkType(
    of descriptor: borrowing FileDescriptor, path: String
  ) throws(HostNetworkError) {
    let number = descriptor.rawValue
    let answer = try shimCall("ioctl", subject: path) { clinux_is_network_namespace(number) }
    guard answer == 1 else {
      throw .notANetworkNamespace(path: path, reason: "it is a namespace of another kind")
    }
  }
}

/// One piece of work on a thread of its own, with its outcome.
///
/// `outcome` is written by the thread and read after it was joined, never at the same time; that
/// is the whole of the proof that the value may be shared. The reference handed to the thread is
/// retained until the thread takes it.
@safe
private final class Visit<Value: Sendable>: VisitBody, @unchecked Sendable {
  private let work: @Sendable () throws(HostNetworkError) -> Value
  private var outcome: Result<Value, HostNetworkError>?

  init(work: @escaping @Sendable () throws(HostNetworkError) -> Value) {
    self.work = work
  }

  override func run() {
    outcome = Result { () throws(HostNetworkError) in try work() }
  }

  /// Starts the thread, waits for its end and gives what the work gave.
  func perform() throws(HostNetworkError) -> Value {
    var thread = pthread_t()
    let argument = unsafe Unmanaged.passRetained(self as VisitBody)
    let result = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument {
          unsafe Unmanaged<VisitBody>.fromOpaque(argument).takeRetainedValue().run()
        }
        return nil
      }, argument.toOpaque())
    guard result == 0 else {
      unsafe argument.release()
      throw .system(SystemError(call: "pthread_create", errno: result, subject: "a namespace"))
    }
    _ = pthread_join(thread, nil)
    guard let outcome else { preconditionFailure("a joined thread has an outcome") }
    return try outcome.get()
  }
}

/// What the thread's entry, which cannot be generic, knows of a visit.
private class VisitBody {
  func run() {}
}
