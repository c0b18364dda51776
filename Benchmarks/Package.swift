// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// The settings of the parent package.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableExperimentalFeature("Lifetimes"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "weft-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    // Named, because otherwise it would be called like the folder it was checked out to.
    .package(name: "weft", path: "../")
  ],
  targets: [
    .target(name: "CCounting"),
    .executableTarget(
      name: "microbenchmarks",
      dependencies: ["CCounting", .product(name: "WeftDataplane", package: "weft")],
      swiftSettings: strict),
  ]
)
