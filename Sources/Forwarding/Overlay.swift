// SPDX-License-Identifier: Apache-2.0

/// How frames travel to another peer of the mesh.
public enum Overlay: UInt8, BitwiseCopyable, Sendable, Hashable {
  /// VXLAN with short numbers in its identifier; "fastdp" on Weave Net's wire.
  case vxlan
  /// Weave Net's datagrams of records, plain or sealed.
  case sleeve
}
