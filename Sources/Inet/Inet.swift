// SPDX-License-Identifier: Apache-2.0

// Addresses and names as values: `MACAddress`, `IPv4Address`, `IPv4Prefix`, `SocketAddress`,
// `VirtualNetwork`, and of the mesh `PeerName` and `ShortID`.
//
// Everything here is a plain number with a textual form. The numbers are in host order with the
// first octet on the wire as the most significant one, so that they compare and print as people
// read them; `Wire` converts where bytes are read and written.
