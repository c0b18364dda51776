// SPDX-License-Identifier: Apache-2.0

// Keys and boxes, with libsodium and Intel's library for IPsec.
//
// `Password`, `KeyPair` and `SessionKey` hold secrets: they never print them and zero them when
// the last holder lets go, as their bytes are `SecretBytes`. A password's come from a file by
// `PasswordFile`. `SecretBox` seals and opens single messages.
//
// `FrameKey` is the key of one direction of one link, of a `CipherSuite`. `FrameKeys` seals and
// opens the packets of a `SealingBatch` where they are, for all workers at once. Behind it are:
//
// - `KeyTable`: its memory, places of `KeySlot`s; each has `KeyAttributes`, the key, counters that
//   are told as `KeyCounts`, and `SharedReplayWindow`s.
// - `SealingPass`: goes through a batch, in the groups of `PacketRows`.
// - `PacketCipher`: what is done to a packet as `PacketLayout` has it, with `SecretBoxPacket` for
//   secretbox and `ExtendedNumber` for the numbers of ESP; all with `PacketScratch` at hand.
