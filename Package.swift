// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// Settings of every Swift target: memory safety is strict, warnings are errors, and an import
/// brings in only what it names.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableExperimentalFeature("Lifetimes"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// With `WEFT_STAMPS=1` readers of snapshots check every page that they touch
/// (`Sources/Tables/PageStamps+Unsafe.swift`).
let stamps: [SwiftSetting] =
  Context.environment["WEFT_STAMPS"] == "1" ? [.define("WEFT_STAMPS")] : []

/// Modules in the order of `docs/architecture.md`; a module imports only from layers below it, or
/// from its own layer where the architecture allows it.
func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict + stamps)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], resources: resources,
    swiftSettings: strict + stamps)
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(
  name: "HummingbirdCore", package: "hummingbird")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(
  name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let arguments = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")

// Two variables of the environment leave out what takes long to build, for `.ci/run`:
// `WEFT_LAYERS=lower` all above layer 3, `WEFT_FUZZ=1` all that the fuzzer does not run. Each is
// built in a folder of its own.
let isForFuzzing = Context.environment["WEFT_FUZZ"] == "1"
let isWhole = !isForFuzzing && Context.environment["WEFT_LAYERS"] != "lower"

let swiftLog = Package.Dependency.package(
  url: "https://github.com/apple/swift-log", from: "1.16.0")

let swiftNIO = Package.Dependency.package(
  url: "https://github.com/apple/swift-nio", from: "2.101.0")

let libraries: [Package.Dependency] = [
  .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
  swiftLog,
  swiftNIO,
  .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
  .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
  .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
]

let programs: [Product] = [
  .executable(name: "weftd", targets: ["weftd"]),
  .executable(name: "weft", targets: ["weft"]),
  .executable(name: "pktbench", targets: ["pktbench"]),
]

// Intel's library for IPsec exists for this architecture alone; others get by with libsodium.
#if arch(x86_64)
let cipherLibraries = ["IPSec_MB", "sodium"]
#else
let cipherLibraries = ["sodium"]
#endif

let lowerLayers: [Target] = [
  // Layer 0: C shims and the embedded BPF objects.
  .target(
    name: "CXDP", linkerSettings: [.linkedLibrary("xdp"), .linkedLibrary("bpf")]),
  .target(name: "CLinux", linkerSettings: [.linkedLibrary("mnl")]),
  .target(name: "CPrograms"),
  .target(name: "CIntrinsics"),
  .target(name: "CSodium", linkerSettings: [.linkedLibrary("sodium")]),
  .target(name: "CCiphers", linkerSettings: cipherLibraries.map { .linkedLibrary($0) }),
  // What pktbench compares tables and sealing with.
  .target(name: "CProbe", linkerSettings: [.linkedLibrary("sodium")]),

  // Layer 1: values, views and tables that both planes know.
  module("Inet"),
  module("Wire", ["Inet"]),
  module("Tables", ["CIntrinsics", "CLinux"]),
  module("Telemetry", ["CIntrinsics"]),
  module("Forwarding", ["CIntrinsics", "Inet", "Tables", "Telemetry", "Wire"]),

  // Keys and boxes, for both planes.
  module("Sealing", ["CCiphers", "CIntrinsics", "CSodium", "Tables"]),

  // Layer 2: the mesh as pure machines, and the kernel's packet sockets.
  module("Gob"),
  module("Mesh", ["Gob", "Inet", "Sealing", "Wire"]),
  module("XDP", ["CIntrinsics", "CLinux", "CPrograms", "CXDP", "Inet", "Tables"]),

  // Layer 3: what decides where frames go, and what moves them.
  module("Routing", ["Forwarding", "Inet", "Tables", "Wire"]),
  module(
    "Dataplane",
    [
      "CIntrinsics", "CLinux", "CXDP", "Forwarding", "Inet", "Sealing", "Tables", "Telemetry",
      "Wire", "XDP",
    ]),
]

let upperLayers: [Target] = [
  // Layer 4: the control plane and the host's network.
  module("HostNetwork", ["CLinux", "Inet", logging]),
  module("Transport", ["CLinux", "Inet", "Mesh", "Wire", nioCore, nioPosix, logging]),
  module(
    "ControlPlane",
    [
      "Forwarding", "HostNetwork", "Inet", "Mesh", "Routing", "Sealing", "Telemetry", "Transport",
      "Wire", logging,
    ]),

  // Layer 5: composition.
  module(
    "ControlAPI",
    [
      "ControlPlane", "Inet", "Mesh", httpClient, hummingbird, hummingbirdCore, lifecycle, logging,
      nioCore, nioHTTP1,
    ]),
  module(
    "Node",
    [
      "CLinux", "ControlAPI", "ControlPlane", "Dataplane", "Forwarding", "HostNetwork", "Inet",
      "Mesh", "Routing", "Sealing", "Telemetry", "Transport", "XDP", lifecycle, logging, signals,
    ]),

  // Layer 6: programs.
  .target(name: "CLaboratory"),
  program("weftd", ["HostNetwork", "Node", arguments, logging]),
  program("weft", ["ControlAPI", "ControlPlane", "Inet", arguments]),
  program(
    "pktbench",
    [
      "CLaboratory", "CLinux", "CProbe", "CXDP", "ControlAPI", "Dataplane", "Forwarding",
      "HostNetwork", "Inet", "Node", "Routing", "Sealing", "Tables", "Telemetry", "Wire", "XDP",
      arguments,
    ]),
]

let testSupport: [Target] = [
  .target(
    name: "TestSupport", dependencies: ["Inet", "Wire"], path: "Tests/TestSupport",
    swiftSettings: strict),
  .target(
    name: "CaptureSupport", dependencies: ["Inet"], path: "Tests/CaptureSupport",
    swiftSettings: strict),
  .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
  .target(
    name: "DataplaneTestSupport",
    dependencies: [
      "Dataplane", "Forwarding", "Inet", "Routing", "Sealing", "Tables", "Telemetry",
      "TestSupport", "XDP",
    ],
    path: "Tests/DataplaneTestSupport", swiftSettings: strict),
]

let lowerTests: [Target] = [
  tests("InetTests", ["Inet"]),
  tests("WireTests", ["CaptureSupport", "Inet", "Wire"]),
  tests("TablesTests", ["Tables"]),
  tests("TelemetryTests", ["Telemetry"]),
  tests("SealingTests", ["CCiphers", "CSodium", "CaptureSupport", "Inet", "Sealing"]),
  tests("GobTests", ["CaptureSupport", "Gob", "Inet"]),
  tests("MeshTests", ["CaptureSupport", "Gob", "Inet", "Mesh", "Sealing", "Wire"]),
  tests("SimulationTests", ["Inet", "Mesh", "Sealing"]),
  tests("ForwardingTests", ["Forwarding", "Inet", "Tables"]),
  tests(
    "XDPTests",
    [
      "CPrograms", "CXDP", "Dataplane", "DataplaneTestSupport", "Forwarding", "Inet", "Wire", "XDP",
    ]),
  tests("RoutingTests", ["Forwarding", "Inet", "Routing", "Tables", "Wire"]),
  tests(
    "DataplaneTests",
    [
      "CAllocationCounter", "Dataplane", "DataplaneTestSupport", "Forwarding", "Inet", "Routing",
      "Sealing", "Tables", "Telemetry", "Wire", "XDP",
    ]),
]

let upperTests: [Target] = [
  tests(
    "TransportTests",
    ["HostNetwork", "Inet", "Mesh", "Transport", "Wire", logging, nioCore, nioPosix]),
  tests("HostNetworkTests", ["CLinux", "HostNetwork", "Inet"]),
  tests(
    "ControlPlaneTests",
    [
      "ControlPlane", "Forwarding", "HostNetwork", "Inet", "Mesh", "Routing", "Transport",
      logging,
    ]),
  tests(
    "ControlAPITests",
    [
      "ControlAPI", "ControlPlane", "Forwarding", "Inet", "Mesh", "Sealing", "weft", httpClient,
      lifecycle, logging, nioCore, nioHTTP1,
    ]),
  tests(
    "NodeTests",
    ["ControlPlane", "Forwarding", "HostNetwork", "Inet", "Node", "Sealing", logging]),
  tests(
    "PktbenchTests",
    [
      "Dataplane", "Forwarding", "HostNetwork", "Inet", "Node", "Sealing", "pktbench", arguments,
    ]),
  .testTarget(
    name: "FuzzTests", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/FuzzTests",
    swiftSettings: strict),
  tests("TidyTests", []),
  tests(
    "IntegrationTests", ["ControlAPI", "Inet", "Mesh", "Sealing"],
    resources: [.copy("esp_peer.py")]),
]

/// What the fuzzer runs; `FuzzTests` replays its corpora.
let fuzzTargets = Target.target(
  name: "FuzzTargets",
  dependencies: [
    "CLinux", "ControlPlane", "Dataplane", "DataplaneTestSupport", "Forwarding", "Gob",
    "HostNetwork", "Inet", "Mesh", "Node", "Sealing", "TestSupport", "Wire",
  ],
  path: "Tests/Fuzz/FuzzTargets", swiftSettings: strict)

/// The fuzzer, with all that it needs of the upper layers: of `Node` only the configuration.
let fuzzer: [Target] = [
  module("HostNetwork", ["CLinux", "Inet", logging]),
  module("Transport", ["CLinux", "Inet", "Mesh", "Wire", nioCore, nioPosix, logging]),
  module(
    "ControlPlane",
    [
      "Forwarding", "HostNetwork", "Inet", "Mesh", "Routing", "Sealing", "Telemetry", "Transport",
      "Wire", logging,
    ]),
  .target(
    name: "Node",
    dependencies: [
      "ControlPlane", "Dataplane", "Forwarding", "HostNetwork", "Inet", "Sealing", logging,
    ],
    path: "Sources/Node/Configuration",
    swiftSettings: strict),
  fuzzTargets,
  .executableTarget(
    name: "Fuzzer", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/Fuzzer",
    swiftSettings: strict),
]

let package = Package(
  name: "weft",
  platforms: [.macOS(.v15)],
  products: (isWhole ? programs : []) + [
    // What Benchmarks/, a package of its own, measures.
    .library(
      name: "WeftDataplane",
      targets: [
        "Dataplane", "Forwarding", "Inet", "Routing", "Sealing", "Tables", "Telemetry", "Wire",
        "XDP",
      ])
  ],
  dependencies: isWhole ? libraries : isForFuzzing ? [swiftLog, swiftNIO] : [],
  targets: lowerLayers + testSupport
    + (isWhole ? upperLayers + lowerTests + upperTests + [fuzzTargets] : [])
    + (isForFuzzing ? fuzzer : isWhole ? [] : lowerTests)
)
