// SPDX-License-Identifier: Apache-2.0

// Bytes on the wire as typed fields, in both directions, without copying and without unsafe code.
//
// Each protocol has one file with the same parts in the same order: the offsets of its fields, a
// view (`…Header`), a writer, a value (`…Fields`) and the value's description. A view looks at
// bytes that belong to somebody else. Its initialiser is the only place that can fail: it checks
// every length that the fields claim, and after it no accessor can trap, whatever the bytes are. A
// writer has the same check and changes fields in place. A value stands alone, can be kept and
// compared, and encodes a new header.
//
// In reading order:
// - `Bytes.swift`: big-endian loads and stores on spans, which all the rest is made of.
// - `InternetChecksum`: the sum of RFC 1071 and its incremental update.
// - `EthernetHeader`, `EthernetWriter`, `EthernetFields`, `EtherType`.
// - `ARPHeader`, `ARPPacket`, `ARPOperation`.
// - `IPv4Header`, `IPv4Writer`, `IPv4Fields`, `IPProtocol`.
// - `UDPHeader`, `UDPWriter`, `UDPFields`.
// - `VXLANHeader`, `VXLANWriter`, `VXLANFields`.
// - `VXLANTemplate` and `openVXLAN`: the two ends of the hot path. One writes all 50 bytes before
//   an inner frame, the other checks a whole outer frame and says where the inner one is.
// - `ESPEnvelope`: what is around an inner frame that travels sealed; a `VXLANTemplate` writes it.
// - `openESP`, `ESPOpened`: a packet in which VXLAN is sealed, and what is in it when it is open.
// - `SleeveHeader`, `SleeveSealedHeader`, `SleeveFields`, `SleeveRecordHeader`,
//   `SleeveRecordFields`: datagrams of Weave Net's overlay; `SleeveRecords` finds all records of
//   one, `SleeveSequence` makes its nonce, `SleeveSpecialFrame` is what two ends say themselves;
//   `SleeveEnvelope`: the outer headers, which a `VXLANTemplate` writes for it, too.
// - `InnerPacket`: what a frame carries that is too long for its way. `writeTooBigAnswer` tells its
//   sender what fits, `IPv4Fragmentation` cuts it, and `clampSegmentSize` has TCP not send it.
// - `flowHash` and `outerSourcePort`: which path through the underlay a frame takes.
