// SPDX-License-Identifier: Apache-2.0

// One weftd: the only module that knows both planes, and puts them together.
//
// Read `Daemon`: it takes a `Configuration` (Configuration/, from a strict TOML file), leaves the
// workers' cores to them, starts the data plane's `Engine`, the `ControlPlane` on top of it through
// `EngineAdapter`, and the API through `ControlPlaneService`, and takes all of it down again.
// `LineLogHandler` writes one line for each event. `ExitCode` is what the process says in the end.
