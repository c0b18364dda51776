// SPDX-License-Identifier: Apache-2.0

public import Forwarding
internal import Glibc
public import Inet
public import Tables
public import XDP

/// The data plane could not do what it was asked to; says what to change.
public enum DataplaneError: Error, Equatable, CustomStringConvertible {
  /// There can be no engine with as many workers.
  case workerCount(Int)
  /// A worker's thread could not be started on its core.
  case thread(core: Int, number: CInt)
  /// The kernel refused an event counter, with which workers are woken.
  case event(number: CInt)
  /// No memory for frames, rings or counters.
  case memory(MemoryError)
  /// The kernel refused a socket.
  case socket(XDPError)
  /// The kernel refused a UDP socket.
  case datagramSocket(address: IPv4Address, udpPort: UInt16, number: CInt)
  /// No place is left for another UDP port.
  case tooManyUDPPorts(limit: Int)
  /// The kernel refused a program.
  case program(ProgramError)
  /// The program could not be attached.
  case attach(AttachError)
  /// No slot is left for another port.
  case tooManyPorts(limit: Int)
  /// The workers' chunks do not suffice for another port.
  case tooFewChunks(portCount: Int, chunkCount: Int)
  /// A port's other end could not send test frames.
  case selfTest(interface: String, trouble: String)
  /// Test frames came through in no mode that was tried.
  case noModeCarries(interface: String, failures: String)
  /// ESP packets cannot be received at a port: it is not open, or has not the underlay's program.
  case noProgramForESP(PortIndex)
  /// A worker did not answer.
  case workerSilent(Int)

  /// Whether opening a port may have attached its program before it failed.
  public var mayFollowAttach: Bool {
    switch self {
    case .workerCount, .thread, .event, .attach, .tooFewChunks, .datagramSocket, .tooManyUDPPorts,
      .noProgramForESP:
      false
    case .memory, .socket, .program, .tooManyPorts, .selfTest, .noModeCarries, .workerSilent: true
    }
  }

  /// One sentence: what failed and what is accepted.
  public var description: String {
    switch self {
    case .workerCount(let count):
      "\(count) workers cannot be; give 1 to \(Engine.workerCountMax) cores under [workers] cores"
    case .thread(let core, let number):
      unsafe "starting the worker of core \(core) failed: \(String(cString: strerror(number)))"
        + (number == EINVAL ? "; give cores under [workers] cores that weftd may run on" : "")
    case .event(let number):
      unsafe "making an event counter failed: \(String(cString: strerror(number)))"
        + DataplaneError.advice(number)
    case .memory(let error): error.description
    case .socket(let error): error.description
    case .datagramSocket(let address, let udpPort, let number):
      unsafe "UDP port \(udpPort) of \(address) cannot be bound:"
        + " \(String(cString: strerror(number)))\(DataplaneError.advice(number))"
    case .tooManyUDPPorts(let limit):
      "all \(limit) UDP ports of a port are in use; disconnect from peers with a port of their own"
    case .program(let error): error.description
    case .attach(let error): error.description
    case .tooManyPorts(let limit): "all \(limit) ports are in use; detach a container first"
    case .tooFewChunks(let portCount, let chunkCount):
      "\(chunkCount) chunks a worker are not enough for more than \(portCount) ports; give more"
        + " under [workers] frames, or detach a container first"
    case .selfTest(let interface, let trouble):
      "test frames to \(interface) cannot be sent: \(trouble); both ends of the pair must be there"
        + " and up"
    case .noModeCarries(let interface, let failures):
      "\(interface) does not carry test frames to AF_XDP sockets: \(failures); look for what else"
        + " takes or drops its frames (tc filter, nft, another XDP program), or update the kernel"
    case .noProgramForESP(let port):
      "port \(port.number) cannot receive ESP: only an open underlay with an XDP program can, and a"
        + " port of UDP sockets never"
    case .workerSilent(let worker): "worker \(worker) does not answer; restart weftd"
    }
  }

  /// What to do if a UDP port cannot be bound, or there are too many files.
  private static func advice(_ number: CInt) -> String {
    switch number {
    case EADDRINUSE:
      "; another program has it, perhaps another weftd or Weave's router: stop that one (ss -lunp"
        + " shows it), or configure another port"
    case EADDRNOTAVAIL: "; give an address of this host, or 0.0.0.0 for all of them"
    case EACCES: "; ports below 1024 need CAP_NET_BIND_SERVICE"
    case EMFILE, ENFILE: "; too many files are open: raise the limit (ulimit -n)"
    default: ""
    }
  }
}
