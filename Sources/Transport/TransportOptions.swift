// SPDX-License-Identifier: Apache-2.0

package import Inet

/// Where the mesh listens, and what it may hold.
package struct TransportOptions: Sendable {
  /// The address of the listening socket and of dialled links' own ends; 0.0.0.0 means all of this
  /// host's.
  package var listen = SocketAddress(IPv4Address(bits: 0), port: 6783)
  /// New links are let in one for each such time, after a burst.
  package var acceptInterval = Duration.milliseconds(50)
  /// How many new links are let in at once after a quiet time.
  package var acceptBurst = 20
  /// How many accepted links there may be at once.
  package var acceptedLinksMax = 256
  /// How many links there may be at once that we dialled, those not yet answered among them.
  package var dialedLinksMax = 256
  /// How long a dialled link may take to be answered.
  package var dialTimeout = Duration.seconds(10)
  /// A link of which more bytes than that are not consumed is not read.
  package var unconsumedLengthMax = 256 << 10
  /// A link of which more bytes than that wait to be sent is closed.
  package var unsentLengthMax = 16 << 20
  /// If more bytes than that wait on all links together, the one with most of them is closed.
  package var unsentLengthTotalMax = 192 << 20
  /// A link on which bytes wait and none are taken for that long is closed.
  package var sendStallMax = Duration.seconds(30)
  /// Room for what the kernel holds of a link, for each direction; it takes twice as much.
  package var linkBufferLength = 256 << 10

  /// The defaults, which are Weave Net's where that has such a limit.
  package init() {}
}
