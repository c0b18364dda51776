// SPDX-License-Identifier: Apache-2.0

// Keys and boxes, with libsodium.
//
// `Password`, `KeyPair` and `SessionKey` hold secrets: they never print them and zero them when
// the last holder lets go, as their bytes are `SecretBytes`. `SecretBox` seals and opens single
// messages.
//
// `SleeveSessions` seals and opens the datagrams of sleeve where they are, for all workers at once:
// a table of `SessionSlot`s, each with keys, counters and two `SharedReplayWindow`s;
// `SealedDatagram` is what is done to the bytes.
