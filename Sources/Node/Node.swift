// SPDX-License-Identifier: Apache-2.0

// One weftd: the only module that knows both planes, and puts them together.
//
// Read `Daemon`: it takes a `Configuration` (Configuration/, from a strict TOML file), leaves the
// workers' cores to them, starts the data plane's `Engine`, the `ControlPlane` on top of it through
// `EngineAdapter`, and the API through `ControlPlaneService`, and takes all of it down again. At
// SIGHUP the `Reloader` reads the `ConfigurationFile` again. `LineLogHandler` writes one line for
// each event that the `LogThreshold` lets pass. `ExitCode` is what the process says in the end.
