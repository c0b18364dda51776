// SPDX-License-Identifier: Apache-2.0

internal import CLinux

/// What one message means for the request it answers.
package enum NetlinkAnswer: Equatable, Sendable {
  /// The request is done.
  case end
  /// The message says nothing.
  case nothing
  /// The message is part of what was asked for.
  case value

  private static let messageLengthMax = 256

  /// Judges a message; a refusal is thrown with the kernel's sentence.
  package init(
    _ reply: NetlinkReply, call: String, subject: String
  ) throws(HostNetworkError) {
    switch Int32(reply.type) {
    case NLMSG_NOOP: self = .nothing
    case NLMSG_OVERRUN: throw .repliesLost(call: call)
    case NLMSG_ERROR, NLMSG_DONE:
      try Self.check(reply, call: call, subject: subject)
      self = .end
    default: self = .value
    }
  }

  /// Both begin with an error number, zero or negated; an error is followed by the request.
  private static func check(
    _ reply: NetlinkReply, call: String, subject: String
  ) throws(HostNetworkError) {
    let isError = Int32(reply.type) == NLMSG_ERROR
    let attribute = NetlinkAttribute(type: 0, payload: reply.payload.prefix(4))
    guard let number = attribute.int32 else {
      // The end of a dump may come without a number.
      guard isError else { return }
      throw .malformedReply(call: call, reason: "an acknowledgement without an error number")
    }
    guard number != 0 else { return }
    guard number < 0, number > -4096 else {
      throw .malformedReply(call: call, reason: "error number \(number)")
    }
    throw .system(
      SystemError(
        call: call, errno: -number, subject: subject,
        detail: isError ? explanation(in: reply) : nil))
  }

  /// The text of an extended acknowledgement, which follows the request's header, or, if the
  /// kernel did not cap the message, the whole request.
  private static func explanation(in reply: NetlinkReply) -> String? {
    guard reply.flags & UInt16(NLM_F_ACK_TLVS) != 0, let header = reply.header(nlmsgerr.self)
    else { return nil }
    var start = MemoryLayout<nlmsgerr>.size
    if reply.flags & UInt16(NLM_F_CAPPED) == 0 {
      let length = (Int(header.msg.nlmsg_len) + 3) & ~3
      start += max(0, length - MemoryLayout<nlmsghdr>.size)
    }
    // A damaged explanation must not hide the error itself.
    let attributes = try? NetlinkAttribute.parse(reply.payload.dropFirst(start), call: "")
    let text = attributes?.first { $0.type == Int(NLMSGERR_ATTR_MSG.rawValue) }?.text
    return text.map { String($0.prefix(messageLengthMax)) }
  }
}
