// SPDX-License-Identifier: Apache-2.0

internal import CXDP
internal import Glibc

// Unsafe here: pointers to local values that C fills in during the call and does not keep, and
// texts that C hands out, which are copied at once.

/// The program that an interface has.
struct InterfaceProgram {
  /// The kernel's id of the program.
  let identifier: UInt32

  /// Nil if it runs in the card or in several modes at once, which ours never do.
  let mode: AttachMode?

  /// At most 15 characters; empty if it cannot be read.
  let name: String

  /// Whether the name is one of ours, whichever process attached it.
  var isOwn: Bool { name.hasPrefix(ProgramKind.namePrefix) && mode != nil }

  /// Asks the kernel; nil if the interface has no program.
  static func query(_ interfaceIndex: UInt32) throws(AttachError) -> InterfaceProgram? {
    var attached = cxdp_attached()
    let result = unsafe cxdp_query_program(interfaceIndex, &attached)
    guard result >= 0 else {
      throw AttachCall("query", interfaceIndex, .native).failed(result)
    }
    guard attached.id != 0 else { return nil }
    let name = programName(attached.id)
    let mode: AttachMode? =
      switch attached.mode {
      case CXDP_MODE_NATIVE: .native
      case CXDP_MODE_GENERIC: .generic
      default: nil
      }
    return InterfaceProgram(identifier: attached.id, mode: mode, name: name)
  }

  /// The error for an interface that has this program.
  func foreign(_ interfaceIndex: UInt32) -> AttachError {
    .foreignProgram(interface: interfaceText(interfaceIndex), id: identifier, name: name)
  }

  /// Takes this very program off, unless another one has come in its place.
  func detach(_ interfaceIndex: UInt32) throws(AttachError) {
    guard let mode else { throw foreign(interfaceIndex) }
    let program = cxdp_open_program(identifier)
    // Nobody holds it any more, so it is not attached either.
    guard program != -ENOENT else { return }
    let call = AttachCall("detaching", interfaceIndex, mode)
    guard program >= 0 else { throw call.failed(program) }
    defer { _ = close(program) }
    let result = cxdp_detach_program(interfaceIndex, program, cxdp_mode(mode))
    guard result >= 0 || result == -ENODEV else { throw call.failed(result) }
  }

  private static func programName(_ identifier: UInt32) -> String {
    let program = cxdp_open_program(identifier)
    guard program >= 0 else { return "" }
    defer { _ = close(program) }
    return unsafe copyName { unsafe cxdp_copy_program_name(program, $0) } ?? ""
  }
}

/// A call about one interface, for the error if it fails.
struct AttachCall {
  let call: String
  let interfaceIndex: UInt32
  let mode: AttachMode

  init(_ call: String, _ interfaceIndex: UInt32, _ mode: AttachMode) {
    self.call = call
    self.interfaceIndex = interfaceIndex
    self.mode = mode
  }

  /// Tells errors apart by what the user can do; `result` is the negative errno of the last call.
  func failed(_ result: CInt) -> AttachError {
    let detail = lastWarnings()
    guard let interface = interfaceName(interfaceIndex) else {
      return .noInterface(index: interfaceIndex)
    }
    switch -result {
    case EPERM, EACCES:
      return .permission(call: call, interface: interface)
    case EBUSY, EEXIST:
      // Also what the kernel says if a device above the interface has a program.
      if let there = try? InterfaceProgram.query(interfaceIndex) {
        return there.foreign(interfaceIndex)
      }
    default: break
    }
    return .refused(call: call, interface: interface, mode: mode, errno: -result, detail: detail)
  }
}

/// An errno as people read it: `EBUSY: Device or resource busy`, with what else is known.
struct ErrorText: CustomStringConvertible {
  let description: String

  init(_ number: CInt, _ detail: String = "") {
    let name = unsafe String(cString: cxdp_error_name(number))
    let text = unsafe String(cString: cxdp_error_text(number))
    description = "\(name): \(text)" + (detail.isEmpty ? "" : "; \(detail)")
  }
}

/// What libbpf and the kernel said about the call that just failed, on one line; may be empty.
func lastWarnings() -> String {
  let lines = unsafe String(cString: cxdp_warnings()).split(separator: "\n")
  return lines.map { line in
    ["libbpf: ", "Kernel error message: "].reduce(line) { rest, prefix in
      rest.hasPrefix(prefix) ? rest.dropFirst(prefix.count) : rest
    }
  }.joined(separator: "; ")
}

/// The interface's name, or `#` and its index.
func interfaceText(_ interfaceIndex: UInt32) -> String {
  interfaceName(interfaceIndex) ?? "#\(interfaceIndex)"
}

private func interfaceName(_ interfaceIndex: UInt32) -> String? {
  unsafe copyName { unsafe cxdp_copy_interface_name(interfaceIndex, $0) }
}

/// Has C write a name of at most 15 characters; nil if it fails.
private func copyName(_ write: (UnsafeMutablePointer<CChar>) -> CInt) -> String? {
  unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { buffer in
    guard let name = buffer.baseAddress, unsafe write(name) >= 0 else { return nil }
    return unsafe String(cString: name)
  }
}

extension cxdp_mode {
  init(_ mode: AttachMode) {
    self =
      switch mode {
      case .native: CXDP_MODE_NATIVE
      case .generic: CXDP_MODE_GENERIC
      }
  }
}
