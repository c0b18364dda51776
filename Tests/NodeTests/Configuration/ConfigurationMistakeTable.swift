// SPDX-License-Identifier: Apache-2.0

/// Files and everything that is said about them, without the file's name.
let mistakeTable: [(String, [String])] = [
  ("", []),
  (
    "\n[underlay]\nmode = \"xdp\"\n",
    [
      "3: underlay.mode: \"xdp\" needs an interface, and none is named; accepted: \"xdp\" with an "
        + "interface, or another mode"
    ]
  ),
  (
    "[underlay]\nmode = \"xdp\"\ninterface = \"\"\n",
    ["3: underlay.interface: \"\" is empty; accepted: the name of an interface, 1 to 15 bytes"]
  ),
  (
    good("mode = \"auto\""),
    [
      "3: underlay.mode: \"auto\" is not one of its words; accepted: \"automatic\", \"xdp\" or "
        + "\"socket\""
    ]
  ),
  (
    "[[fault]]\ninterface = \"eth0\"",
    ["2: fault.interface: \"eth0\" is no port's name; \(faultInterface)"]
  ),
  (
    good("[overlay]\nmtu = 65536"),
    ["4: overlay.mtu: 65536 is too large; \(mtu)"]
  ),
  (good("[overlay]\nmtu = 575"), ["4: overlay.mtu: 575 is too small; \(mtu)"]),
  (
    good("[overlay]\nmtu = \"1500 bytes\""),
    [
      "4: overlay.mtu: \"1500 bytes\" is text, not a number; write the number alone, without "
        + "quotes and unit; \(mtu)"
    ]
  ),
  (
    good("[overlay]\nmtu = \"1500\""),
    [
      "4: overlay.mtu: \"1500\" is text, not a number; write the number alone, without quotes; "
        + mtu
    ]
  ),
  (
    good("[workers]\nframes = 5000"),
    [
      "4: workers.frames: 5000 is not a power of two; the nearest are 4096 and 8192; "
        + "accepted: a power of two from 1024 to 1048576"
    ]
  ),
  (
    good("[workers]\ncores = [\n 1,\n 2,\n 1 ]"),
    ["7: workers.cores: core 1 is listed twice; \(cores)"]
  ),
  (
    good("[workers]\ncores = []"),
    [
      "4: workers.cores: the list is empty; name at least one core or leave the key out; \(cores)"
    ]
  ),
  (
    good("[workers]\nidle = \"Spin\""),
    [
      "4: workers.idle: \"Spin\" is not one of its words; did you mean \"spin\"?; "
        + "accepted: \"adaptive\" or \"spin\""
    ]
  ),
  (
    good("[workers]\ninterface = \"eth0\""),
    [
      "4: workers.interface: is not a known key; did you mean underlay.interface?; "
        + "accepted: cores, idle and frames"
    ]
  ),
  (
    good("[worker]\nidle = \"spin\""),
    [
      "3: worker: is not a known key; did you mean workers?; accepted: log_level, underlay, "
        + "workers, overlay, api, attachments, mesh, vtep and fault"
    ]
  ),
  (
    "[underlay]\ninterface = \"a-name-of-16-by\u{20AC}\"",
    [
      "2: underlay.interface: \"a-name-of-16-by\u{20AC}\" is 18 bytes long; accepted: the name of "
        + "an interface, 1 to 15 bytes"
    ]
  ),
  (
    "[underlay]\ninterface = \"eth0/1\"",
    [
      "2: underlay.interface: \"eth0/1\" holds a blank, a control character, a slash or a colon; "
        + "accepted: the name of an interface, 1 to 15 bytes"
    ]
  ),
  (
    good("[api]\nsocket = \"weft.sock\""),
    ["4: api.socket: \"weft.sock\" is not an absolute path; \(socket)"]
  ),
  (
    good("[api]\nsocket = \"/\(String(repeating: "x", count: 90))\""),
    [
      "4: api.socket: \"/\(String(repeating: "x", count: 47))…\" is 91 bytes long; \(socket)"
    ]
  ),
  (good("[api]\nsocket = \"/run/\""), ["4: api.socket: \"/run/\" names a folder; \(socket)"]),
  (
    good(vtep("192.0.2.2", 42) + vtep("192.0.2.2", 43) + vtep("192.0.2.2", 42)),
    [
      "9: vtep: 192.0.2.2 with vni 42 is already there, in line 3; accepted: each pair of address "
        + "and vni once"
    ]
  ),
  (
    good(vtep("192.0.2.256", 1)),
    ["4: vtep.address: \"192.0.2.256\" is not an IPv4 address; \(address)"]
  ),
  (
    good(vtep("127.0.0.1", 1)),
    ["4: vtep.address: 127.0.0.1 is not the address of one other host; \(address)"]
  ),
  (
    good("[[vtep]]\n"),
    [
      "3: vtep.address: is missing; \(address)",
      "3: vtep.vni: is missing; accepted: a whole number from 1 to 16777215",
    ]
  ),
  (
    good("[vtep]\naddress = \"192.0.2.2\""),
    ["3: vtep: needs two brackets on each side; accepted: [[vtep]] sections"]
  ),
  (
    "vtep = 1\n" + good(""), ["1: vtep: 1 is a number, not a section; accepted: [[vtep]] sections"]
  ),
  (
    "vtep = [ 1 ]\n" + good(""),
    ["1: vtep: 1 is a number, not a section; accepted: [[vtep]] sections"]
  ),
  (
    good("[[fault]]\ninterface = \"eth1\"\nloss = 100.5"),
    [
      "4: fault.interface: \"eth1\" is no port's name; \(faultInterface)",
      "5: fault.loss: 100.5 is too large; accepted: a number of percent from 0 to 100, like 10 or "
        + "0.5",
    ]
  ),
  (
    good("[[fault]]\ninterface = \"eth0\"\n[[fault]]\ninterface = \"eth0\""),
    [
      "6: fault.interface: \"eth0\" has faults already, from line 4; accepted: each interface once"
    ]
  ),
  (good("[[fault]]\nloss = 1"), ["3: fault.interface: is missing; \(faultInterface)"]),
  (
    good("[[workers]]\nidle = \"spin\""),
    ["3: workers: may stand only once; accepted: one [workers] section"]
  ),
  (
    "workers = true\n" + good(""),
    ["1: workers: true is a truth value, not a section; accepted: a [workers] section"]
  ),
  (
    good("[overlay]\n\"m\\u001btu\" = 1"),
    ["4: overlay.\"m\\u{1B}tu\": is not a known key; did you mean mtu?; accepted: mtu"]
  ),
]

private let mtu = "accepted: a whole number of bytes from 576 to 65535"
private let cores =
  "accepted: a list like [0] or [2, 3] of 1 to 63 different core numbers from 0 to 1023"
private let socket = "accepted: an absolute path of at most 90 bytes"
private let faultInterface =
  "accepted: the interface of [underlay], \"weft0\" or \"containers\""
private let address = "accepted: an IPv4 address of one host like \"192.0.2.1\""

/// A good file of two lines, and what follows it.
private func good(_ rest: String) -> String { "[underlay]\ninterface = \"eth0\"\n\(rest)" }

private func vtep(_ address: String, _ vni: Int) -> String {
  "[[vtep]]\naddress = \"\(address)\"\nvni = \(vni)\n"
}
