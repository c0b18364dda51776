// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Somebody else's XDP program, which passes everything on, on an interface.
///
/// It is put there as `ip link set dev eth0 xdp` does it, without a link, so that it stays when the
/// process that did it has ended.
struct ForeignProgram {
  /// Where an interface runs it.
  enum Mode: String, CaseIterable {
    case native = "xdpdrv"
    case generic = "xdpgeneric"

    fileprivate var flag: Int { self == .generic ? 2 : 4 }

    /// In which the program of `interface` runs; native if it has none.
    ///
    /// A port's test frames decide on its mode, and the kernel runs programs of one interface in
    /// one mode only.
    init(of interface: String, in namespace: TestNamespace) throws {
      let link = try namespace.links().first { $0["ifname"] as? String == interface }
      let attached = (link?["xdp"] as? [String: Any])?["mode"] as? Int
      // XDP_ATTACHED_SKB of <linux/if_link.h>
      self = attached == 2 ? .generic : .native
    }
  }

  static let name = "somebodys"

  private let namespace: TestNamespace
  /// The interface's name, to be changed with it.
  var interface: String
  private let mode: Mode

  /// Puts it there, in place of what may be there.
  init(_ interface: String, in namespace: TestNamespace, _ mode: Mode) throws {
    (self.namespace, self.interface, self.mode) = (namespace, interface, mode)
    try namespace.run(
      ["/usr/bin/python3", "-c", Self.source, interface, "\(mode.flag)", Self.name])
  }

  /// Whether it still is there.
  func isAttached() throws -> Bool {
    let link = try namespace.links().first { $0["ifname"] as? String == interface }
    let program = (link?["xdp"] as? [String: Any])?["prog"] as? [String: Any]
    guard let number = program?["id"] as? Int else { return false }
    let shown = try IntegrationTests.run("bpftool -j prog show id \(number)")
    return shown.contains("\"\(Self.name)\"")
  }

  /// Takes it off.
  func detach() throws { try namespace.ip("link set dev \(interface) \(mode.rawValue) off") }

  private static let source = """
    import ctypes, os, socket, struct, sys

    interface, flags, name = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()

    # r0 = XDP_PASS; exit
    code = ctypes.create_string_buffer(bytes.fromhex('b700000002000000' '9500000000000000'))
    license = ctypes.create_string_buffer(b'GPL')
    load = struct.pack('=IIQQIIQII16s', 6, 2, ctypes.addressof(code),
                       ctypes.addressof(license), 0, 0, 0, 0, 0, name)
    argument = ctypes.create_string_buffer(load, 128)
    numbers = {'x86_64': 321, 'aarch64': 280}
    program = ctypes.CDLL(None, use_errno=True).syscall(
        numbers[os.uname().machine], 5, argument, 128)
    if program < 0:
        sys.exit(os.strerror(ctypes.get_errno()))

    # RTM_SETLINK with IFLA_XDP { IFLA_XDP_FD, IFLA_XDP_FLAGS }
    nested = struct.pack('=HHiHHI', 8, 1, program, 8, 3, flags)
    body = struct.pack('=BxHiII', 0, 0, socket.if_nametoindex(interface), 0, 0)
    body += struct.pack('=HH', 4 + len(nested), 43 | 0x8000) + nested
    route = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    route.send(struct.pack('=IHHII', 16 + len(body), 19, 5, 1, 0) + body)
    error = -struct.unpack('=i', route.recv(65536)[16:20])[0]
    if error:
        sys.exit(os.strerror(error))
    """
}
