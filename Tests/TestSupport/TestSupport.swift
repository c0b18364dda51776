// SPDX-License-Identifier: Apache-2.0

// What the tests of several modules share.
//
// - `SeededGenerator`: random numbers that a failing test can be repeated with.
// - `FrameBuilder`: whole, correct frames as byte arrays, built without the product's writers, so
//   that the two check each other.
//
// A randomized test takes its seeds from `fixedSeeds` and puts the generator into the comment of
// its expectations: it prints as its seed.

/// Seeds for parameterised tests, always the same ones.
public let fixedSeeds: [UInt64] = Array(1...8)
