// SPDX-License-Identifier: Apache-2.0

// Go's self-describing encoding, as peers of the mesh speak it.
//
// `GobDecoder` reads a stream of any Go program into `GobValue` trees, with `GobStructure` and
// `GobEntry` as their parts, within `GobLimits`; what is wrong with it is a `GobError` with its
// place. `GobEncoder` writes values with the definitions of their `GobType`, whose fields are
// `GobField`s. Within the module, `GobInput` takes numbers off a stream and `GobDefinition` is what
// a stream says about one of its types.
