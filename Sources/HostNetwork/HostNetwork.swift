// SPDX-License-Identifier: Apache-2.0

// The host's side of the network: what a person would do with `ip`, `ethtool` and `nsenter`, done
// through netlink and a few ioctls, without starting a program.
//
// Containers hang on veth pairs whose host end becomes a port of the data plane. This module makes
// and removes the pairs, gives the container its addresses, finds out how a peer is reached, and
// notices when any of that changes. It knows nothing of XDP, of the overlay, or of time; all calls
// block for as long as the kernel takes, and nothing is asynchronous. A network namespace is only
// entered on a thread made for that one visit.
//
// Reading order:
// - `SystemError`, `HostNetworkError`: what can go wrong and what the user can do about it.
// - `FileDescriptor`, `NetworkNamespace`: a descriptor with one owner, and a visit elsewhere.
// - `NetlinkMessage`, `NetlinkReply`, `NetlinkAttribute`: bytes to and from the kernel.
// - `NetlinkSocket`: requests, dumps and errors; its extensions are the vocabulary of the rest:
//   links (`Link`, `LinkChanges`, `VethOptions`), addresses (`InterfaceAddress`), routes (`Route`),
//   neighbours (`Neighbour`), next hops (`NextHopState`) and ways through sockets (`SocketRoute`).
// - `KernelSetting`, `Offloads`, `GratuitousARP`: /proc/sys, ethtool, and announcing an address.
// - `NetworkMonitor`, `NetworkEvent`, `ContainerMonitor`: changes somebody else made, here and in
//   containers.
// - `AttachmentRecord`, `PreparedInterface`, `ContainerInterface`, `AttachmentListing`, `HostPair`:
//   containers and the host on the switch.
// - `TestFrameSender`: frames from the far end of a pair, to see whether they come through.
// - `ContainerCondition`: what became of a container's interface.
