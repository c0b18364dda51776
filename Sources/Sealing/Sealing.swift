// SPDX-License-Identifier: Apache-2.0

// Keys and boxes, with libsodium.
//
// `Password`, `KeyPair` and `SessionKey` hold secrets: they never print them and zero them when
// the last holder lets go, as their bytes are `SecretBytes`. `SecretBox` seals and opens single
// messages.
