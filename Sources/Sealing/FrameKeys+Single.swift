// SPDX-License-Identifier: Apache-2.0

/// Packets that are sealed or opened one by one, because they lie in memory of their own.
extension FrameKeys {
  /// Seals one packet where it is.
  @_lifetime(packet: copy packet)
  public func seal(
    _ packet: inout MutableSpan<UInt8>, key: UInt16, isFragmentable: Bool = false
  ) -> SealingBatch.Outcome {
    var description = SealingBatch.Packet(
      offset: 0, length: UInt32(truncatingIfNeeded: packet.count), key: key)
    description.isFragmentable = isFragmentable
    var batch = SealingBatch()
    batch.append(description)
    seal(&batch, in: &packet)
    return batch.outcome(of: 0)
  }

  /// Opens one packet where it is.
  @_lifetime(packet: copy packet)
  public func open(
    _ packet: inout MutableSpan<UInt8>, key: UInt16, formerKey: UInt16 = FrameKeys.none
  ) -> SealingBatch.Outcome {
    var description = SealingBatch.Packet(
      offset: 0, length: UInt32(truncatingIfNeeded: packet.count), key: key)
    description.formerKey = formerKey
    var batch = SealingBatch()
    batch.append(description)
    open(&batch, in: &packet)
    return batch.outcome(of: 0)
  }
}
