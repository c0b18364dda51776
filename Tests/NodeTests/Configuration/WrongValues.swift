// SPDX-License-Identifier: Apache-2.0

@testable import Node

/// A value that a key must refuse, and what the message has to show of it.
struct WrongValue {
  let written: String
  /// What was found, as the message says it.
  let found: String

  init(_ written: String, _ found: String) {
    self.written = written
    self.found = found
  }
}

/// What each key must refuse beyond values of the wrong type; a key without a line here fails.
///
/// Below and above the range, empty, with a unit or in quotes, nearly right, and wrong inside.
let wrongValuesByKey: [String: [WrongValue]] = [
  "log_level": words("info") + [
    .init("\"warn\"", "\"warn\" is not one of its words"),
    .init("\"infos\"", "did you mean \"info\"?"), .init("\"7\"", "\"7\" is not one of its words"),
  ],
  "underlay.interface": text + [
    .init("\"eth0 \"", "\"eth0 \" holds a blank"), .init("\"eth0/1\"", "holds a blank"),
    .init("\"eth0:1\"", "holds a blank"), .init("\"..\"", "\"..\" is not a name"),
    .init("\".\"", "\".\" is not a name"),
    .init("\"sixteen-letters0\"", "\"sixteen-letters0\" is 16 bytes long"),
    .init("\"\"", "\"\" is empty"),
  ],
  "underlay.mode": words("socket") + [
    .init("\"sockets\"", "did you mean \"socket\"?"),
    .init("\"auto\"", "\"auto\" is not one of its words"),
  ],
  "underlay.vxlan_port": numbers(1...65535, unit: "udp"),
  "underlay.xdp": words("native") + [
    .init("\"drv\"", "\"drv\" is not one of its words"),
    .init("\"auto\"", "\"auto\" is not one of its words"),
  ],
  "workers.cores": [
    .init("[]", "the list is empty"), .init("[-1]", "-1 is too small"),
    .init("[1024]", "1024 is too large"), .init("[1, 1]", "core 1 is listed twice"),
    .init("\(Array(0...63))", "64 cores are more than 63"),
    .init("[1.0]", "1.0 is a decimal number"), .init("[\"1\"]", "\"1\" is text"),
    .init("[\"0-3\"]", "\"0-3\" is text"), .init("[true]", "true is a truth value"),
    .init("[1979-05-27]", "is a date or time"), .init("[[0]]", "is a list"),
    .init("[{ core = 0 }]", "is a section"), .init("\"0-3\"", "\"0-3\" is text, not a list"),
    .init("\"0,1\"", "\"0,1\" is text, not a list"),
    .init("2", "2 is a number, not a list"),
  ],
  "workers.idle": words("spin") + [
    .init("\"spinning\"", "\"spinning\" is not one of its words"),
    .init("\"1s\"", "\"1s\" is not one of its words"),
  ],
  "workers.frames": numbers(1024...1_048_576, unit: "Ki") + [
    .init("1025", "1025 is not a power of two; the nearest are 1024 and 2048"),
    .init("1048575", "1048575 is not a power of two; the nearest are 524288 and 1048576"),
  ],
  "overlay.mtu": numbers(576...65535, unit: "B") + [
    .init("\"9000\"", "\"9000\" is text, not a number; write the number alone, without quotes")
  ],
  "api.socket": text + [
    .init("\"weft.sock\"", "\"weft.sock\" is not an absolute path"),
    .init("\"\"", "\"\" is not an absolute path"), .init("\"/run/\"", "\"/run/\" names a folder"),
    .init("\"/a\\nb\"", "holds a control character"),
    .init("\"/\(String(repeating: "x", count: 90))\"", "is 91 bytes long"),
    .init("\"unix:/run/weft.sock\"", "is not an absolute path"),
  ],
  "attachments.on_stop": words("keep") + [
    .init("\"keeep\"", "\"keeep\" is not one of its words; did you mean \"keep\"?")
  ],
  "attachments.xdp": words("generic") + [
    .init("\"skb\"", "\"skb\" is not one of its words")
  ],
  "mesh.name": text + [
    .init("\"\"", "\"\" is not a peer's name"), .init("\"host-a\"", "\"host-a\" is not a peer's"),
    .init("\"02:00:00:00:00\"", "is not a peer's name"),
    .init("\"02-00-00-00-00-0a\"", "is not a peer's name"),
    .init("\"02:00:00:00:00:0a:00\"", "is not a peer's name"),
    .init("\"00:00:00:00:00:00\"", "stands for a peer that is not known"),
  ],
  "mesh.nickname": [
    .init("\"\"", "\"\" is empty"), .init("\"a\\nb\"", "holds a control character"),
    .init("\"\\u001b[2J\"", "\"\\u{1B}[2J\" holds a control character"),
    .init("\"\(String(repeating: "x", count: 65))\"", "is 65 bytes long"),
  ],
  "mesh.port": numbers(1...65534, unit: "tcp"),
  "mesh.listen": text + [
    .init("\"\"", "\"\" is not an IPv4 address"), .init("\"eth0\"", "\"eth0\" is not an IPv4"),
    .init("\"192.0.2.1:6783\"", "is not an IPv4 address"),
    .init("\"::\"", "\"::\" is not an IPv4 address"),
    .init("\"224.0.0.1\"", "224.0.0.1 is not the address of one host"),
    .init("\"255.255.255.255\"", "255.255.255.255 is not the address of one host"),
  ],
  "mesh.peers": texts("host-b", "is not a peer's host or host:port") + [
    .init("[\":6783\"]", "\":6783\" is not a peer's"), .init("[\"a:0\"]", "\"a:0\" is not"),
    .init("[\"a:65536\"]", "\"a:65536\" is not"), .init("[\"a:b\"]", "\"a:b\" is not"),
    .init("[\"192.0.2.256\"]", "\"192.0.2.256\" is not"),
    .init("[\"0.0.0.0\"]", "\"0.0.0.0\" is not"), .init("[\"[::1]:6783\"]", "is not a peer's"),
    .init("[\"a b\"]", "\"a b\" is not"), .init("[\"-a\"]", "\"-a\" is not"),
  ],
  "mesh.password_file": text + [
    .init("\"\"", "\"\" is not an absolute path"),
    .init("\"secret\"", "\"secret\" is not an absolute path"),
    .init("\"/etc/\"", "\"/etc/\" names a folder"), .init("\"/a\\nb\"", "a control character"),
    .init("\"/\(String(repeating: "x", count: 1024))\"", "is 1025 bytes long"),
  ],
  "mesh.accepted_password_files": texts("/etc/weft/new", "is not an absolute path") + [
    .init("[\"/a\", \"/b\", \"/c\", \"/d\"]", "the list has 4"),
    .init("[\"secret\"]", "\"secret\" is not an absolute path"),
    .init("[\"/etc/\"]", "\"/etc/\" names a folder"), .init("[\"/a\\nb\"]", "a control character"),
    .init("[\"/\(String(repeating: "x", count: 1024))\"]", "is 1025 bytes long"),
  ],
  "mesh.cipher": words("secretbox") + [
    .init("\"aes-256-gcm\"", "did you mean \"aes256gcm\"?"),
    .init("\"chacha20-poly1305\"", "did you mean \"chacha20poly1305\"?"),
    .init("\"none\"", "\"none\" is not one of its words"),
  ],
  "mesh.rekey_seconds": numbers(1...86_400, unit: "s"),
  "mesh.discovery": [
    .init("\"true\"", "\"true\" is text, not a truth value; write it without quotes"),
    .init("\"no\"", "\"no\" is text, not a truth value"),
  ],
  "mesh.connection_limit": numbers(0...4096, unit: "c"),
  "mesh.trusted_subnets": texts("10.0.0.0/8", "is not an IPv4 network") + [
    .init("[\"10.0.0.0\"]", "\"10.0.0.0\" is not"), .init("[\"10.0.0.0/33\"]", "/33\" is not"),
    .init("[\"10.0.0.1/8\"]", "has bits set behind its prefix; the network is 10.0.0.0/8"),
  ],
  "vtep.address": text + [
    .init("\"\"", "\"\" is not an IPv4 address"),
    .init("\"192.0.2\"", "\"192.0.2\" is not an IPv4 address"),
    .init("\"192.0.2.256\"", "\"192.0.2.256\" is not an IPv4 address"),
    .init("\"192.0.2.02\"", "\"192.0.2.02\" is not an IPv4 address"),
    .init("\"192.0.2.1/24\"", "\"192.0.2.1/24\" is not an IPv4 address"),
    .init("\"192.0.2.1:4789\"", "\"192.0.2.1:4789\" is not an IPv4 address"),
    .init("\"host-b\"", "\"host-b\" is not an IPv4 address"),
    .init("\"2001:db8::1\"", "\"2001:db8::1\" is not an IPv4 address"),
    .init("\"0.0.0.0\"", "0.0.0.0 is not the address of one other host"),
    .init("\"127.0.0.1\"", "127.0.0.1 is not the address of one other host"),
    .init("\"224.0.0.1\"", "224.0.0.1 is not the address of one other host"),
    .init("\"255.255.255.255\"", "255.255.255.255 is not the address of one other host"),
  ],
  "vtep.vni": numbers(1...16_777_215, unit: "vni"),
  "vtep.port": numbers(1...65535, unit: "udp"),
  "fault.interface": text + [
    .init("\"\"", "\"\" is empty"), .init("\"eth9\"", "\"eth9\" is no port's name"),
    .init("\"container\"", "\"container\" is no port's name"),
  ],
  "fault.seed": numbers(1...Int(Int32.max), unit: "s"),
  "fault.loss": percentages, "fault.duplication": percentages, "fault.reordering": percentages,
  "fault.corruption": percentages, "fault.truncation": percentages,
]

/// One value of each type of TOML, with the types that take it left out.
func valuesOfWrongType(for key: ConfigurationKey) -> [WrongValue] {
  let all: [(type: String, values: [WrongValue])] = [
    ("text", [.init("\"\\t\"", "\"\\t\""), .init("''", "\"\""), .init("\"x\"", "\"x\"")]),
    ("number", [.init("0", "0"), .init("-1", "-1"), .init("0x7fffffffffffffff", "9223")]),
    (
      "decimal",
      [
        .init("1.5", "1.5 is a decimal number"), .init("1450.0", "1450.0 is a decimal number"),
        .init("1e3", "1000.0 is a decimal number"), .init("inf", "inf is a decimal number"),
        .init("-nan", "nan is a decimal number"),
      ]
    ),
    (
      "truth value",
      [.init("true", "true is a truth value"), .init("false", "false is a truth value")]
    ),
    (
      "moment",
      ["1979-05-27", "07:32:00", "1979-05-27T07:32:00", "1979-05-27 07:32:00.5-07:00"].map {
        .init($0, "is a date or time")
      }
    ),
    (
      "list of numbers",
      [
        .init("[]", "is a list"), .init("[\"eth0\"]", "is a list"), .init("[1]", "is a list"),
        .init("[[1]]", "is a list"), .init("[{}]", "is a list"),
      ]
    ),
    (
      "section",
      [.init("{}", "is a section"), .init("{ a = 1 }", "is a section")]
    ),
  ]
  // Texts and numbers that a key of their type refuses are in the table above.
  let taken =
    switch key.type {
    case "percentage": ["number", "decimal"]
    case "list of texts": ["list of numbers"]
    default: [key.type]
    }
  return all.filter { !taken.contains($0.type) }.flatMap(\.values)
}

private let text: [WrongValue] = [
  .init("\"\\u001b[2J\"", "\"\\u{1B}[2J\"")
]

/// What a list of texts refuses; `right` is one that it takes, and `wrong` what it says of others.
private func texts(_ right: String, _ wrong: String) -> [WrongValue] {
  [
    .init("\"\(right)\"", "\"\(right)\" is text, not a list"), .init("[1]", "1 is a number"),
    .init("[true]", "true is a truth value"), .init("[[]]", "is a list, not text in quotes"),
    .init("[{}]", "is a section, not text in quotes"), .init("[\"\"]", "\"\" \(wrong)"),
    .init("[\"\\u001b[2J\"]", "\"\\u{1B}[2J\" \(wrong)"),
    .init("[\"\(right)\", \"\(right)\"]", "\"\(right)\" is listed twice"),
  ]
}

private let percentages: [WrongValue] = [
  .init("-1", "-1.0 is too small"), .init("-0.1", "-0.1 is too small"),
  .init("100.1", "100.1 is too large"), .init("101", "101.0 is too large"),
  .init("0.00001", "1e-05 is less than 0.0001"), .init("nan", "is not a number"),
  .init("inf", "inf is too large"), .init("-inf", "-inf is too small"),
  .init("9223372036854775807", "is too large"), .init("\"10\"", "\"10\" is text, not a number"),
  .init("\"10 %\"", "write the percent alone, without quotes"),
]

private func words(_ right: String) -> [WrongValue] {
  [
    .init("\"\"", "\"\" is not one of its words"),
    .init("\"\(right) \"", "\"\(right) \" is not one of its words"),
    .init("\"\(right.uppercased())\"", "did you mean \"\(right)\"?"),
    .init("\"\\u001b[2J\"", "\"\\u{1B}[2J\" is not one of its words"),
  ]
}

private func numbers(_ range: ClosedRange<Int>, unit: String) -> [WrongValue] {
  let (least, most) = (range.lowerBound, range.upperBound)
  return [
    .init("\(least - 1)", "\(least - 1) is too small"), .init("-\(most)", "-\(most) is too small"),
    .init("\(most + 1)", "\(most + 1) is too large"),
    .init("9223372036854775807", "9223372036854775807 is too large"),
    .init("\(least).0", "\(least).0 is a decimal number, not a whole one"),
    .init("\"\"", "\"\" is text, not a number"),
    .init("\"\(least)\"", "write the number alone, without quotes"),
    .init("\"\(least)\(unit)\"", "\"\(least)\(unit)\" is text, not a number; write the number"),
    .init("\"\(least) \(unit)\"", "alone, without quotes and unit"),
    .init("\"\(unit)\"", "\"\(unit)\" is text, not a number"),
  ]
}
