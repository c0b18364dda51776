// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Node

@Suite struct MachineFactsTests {
  private let machine = MachineFacts(cores: [0, 1, 2, 3, 6], interfaces: ["lo", "wan", "eth0"])

  @Test func configurationThatFitsIsAccepted() throws {
    let configuration = try Configuration.parse(text: completeFile, file: "x.toml")
    try configuration.validate(against: machine)
    #expect(mistakes(in: completeFile, against: machine) == [])
  }

  @Test func missingCoresAndInterfacesAreToldWithTheirLines() throws {
    let text = """
      [workers]
      cores = [
        0, 4,
        5,
      ]
      [underlay]
      interface = "wann"
      """
    let expected = [
      "x.toml:3: workers.cores: core 4 does not exist; accepted: 0 to 3, 6",
      "x.toml:4: workers.cores: core 5 does not exist; accepted: 0 to 3, 6",
      "x.toml:7: underlay.interface: interface \"wann\" does not exist; did you mean \"wan\"?; "
        + "accepted: \"eth0\", \"lo\", \"wan\"",
    ]
    #expect(mistakes(in: text, against: machine) == expected)
    let errors = #expect(throws: ConfigurationErrors.self) {
      try Configuration.parse(text: text, file: "x.toml").validate(against: machine)
    }
    #expect(errors?.issues.map(\.description) == expected)
  }

  @Test func wrongElementsDoNotShiftTheLinesOfMissingCores() {
    let text = "[underlay]\ninterface = \"wan\"\n[workers]\ncores = [\n\"a\",\n0,\n0,\n9]"
    #expect(
      mistakes(in: text, against: machine).map { String($0.prefix(24)) } == [
        "x.toml:5: workers.cores:", "x.toml:7: workers.cores:", "x.toml:8: workers.cores:",
      ])
  }

  @Test func whatTheReaderRefusedIsNotRefusedTwice() {
    #expect(mistakes(in: "[underlay]\ninterface = 1", against: machine).count == 1)
  }

  @Test func longListsOfInterfacesAreCutShort() {
    let many = MachineFacts(cores: [0], interfaces: (10..<60).map { "veth\($0)" })
    let found = mistakes(in: "[underlay]\ninterface = \"uplink\"", against: many)
    #expect(found.first?.hasSuffix("\"veth20\", \"veth21\" and 38 more") == true, "\(found)")
  }
}
