// SPDX-License-Identifier: Apache-2.0

/// The first byte of every message after the features.
public enum MessageTag: UInt8, Sendable {
  case heartbeat = 0
  case legacyEstablished = 1
  case legacyFragmentationReceived = 2
  case legacyPathMTUVerified = 3
  case gossip = 4
  case gossipUnicast = 5
  case gossipBroadcast = 6
  case overlayControl = 7
}
