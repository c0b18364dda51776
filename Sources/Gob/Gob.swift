// SPDX-License-Identifier: Apache-2.0

// Go's self-describing encoding, as peers of the mesh speak it.
//
// `GobDecoder` reads a stream of any Go program into `GobValue` trees, within `GobLimits`; what is
// wrong with it is a `GobError` with its place. `GobEncoder` writes values with the definitions
// they need.
