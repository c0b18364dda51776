// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Another program's encrypted tunnel on one of the two hosts; it routes the containers' packets.
///
/// The host takes what its container sends to the other one by answering to that one's hardware
/// address.
final class RoutedHost {
  private let process: RoomProcess

  /// Programs that are known, with the commands they need.
  static let commands = [
    "wireguard-go": ["wireguard-go", "wg", "ip"], "nebula": ["nebula", "nebula-cert", "ip"],
  ]

  /// The MTU of their tunnels over a wire; neither knows longer packets than 9000 bytes.
  static func mtu(over tunnel: Tunnel) -> Int { min(tunnel.wireMTU, 9000) - 80 }

  /// Starts one on each host.
  static func pair(_ name: String, on hosts: TwoHosts, folder: URL) throws -> [RoutedHost] {
    let missing = (commands[name] ?? []).filter { !isInstalled($0) }
    guard missing.isEmpty else {
      throw ScenarioError(
        .unavailable,
        "\"\(name)\" needs \(missing.joined(separator: ", ")): install Debian's packages "
          + "wireguard-go and wireguard-tools, or nebula")
    }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return try hosts.sides.enumerated().map { number, side in
      try RoutedHost(name, number, side, other: hosts.sides[1 - number], folder)
    }
  }

  private static func isInstalled(_ command: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(command)")
    }
  }

  private init(
    _ name: String, _ number: Int, _ side: TwoHosts.Side, other: TwoHosts.Side, _ folder: URL
  ) throws {
    let program = name == "nebula" ? RoutedHost.nebula : RoutedHost.wireGuard
    let values = [
      "own=\(side.address)", "other=\(other.address)", "mac=\(side.mac)", "taken=\(other.mac)",
      "remote=\(side.tunnel.remote)", "number=\(number)", "folder=\(folder.path)",
      "mtu=\(RoutedHost.mtu(over: side.tunnel))",
    ]
    process = try RoomProcess(
      name, ["env"] + values + ["sh", "-ec", RoutedHost.preparation + program], in: side.host)
  }

  /// Ends it.
  func end() { process.end() }

  private static let preparation = """
    ip link set lo up
    ip link set port0 address $taken
    ip neigh replace $own lladdr $mac dev port0 nud permanent
    ip route replace $own/32 dev port0
    echo 1 > /proc/sys/net/ipv4/ip_forward
    until_there() { until ip link show $1 > /dev/null 2>&1; do sleep 0.05; done; }

    """

  // The keys are not secret here.
  private static let wireGuard = """
    key() { printf '%s' weft${1}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=; }
    key $number > $folder/key$number
    peer=$(key $((1 - number)) | wg pubkey)
    WG_PROCESS_FOREGROUND=1 setpriv --pdeathsig KILL wireguard-go -f wg0 &
    until_there wg0
    wg set wg0 listen-port 51820 private-key $folder/key$number \
      peer $peer endpoint $remote:51820 allowed-ips $other/32
    ip link set wg0 mtu $mtu up
    ip route replace $other/32 dev wg0
    wait
    """

  private static let nebula = """
    cd $folder
    mkdir host$number && cd host$number
    if [ $number = 0 ]; then
      nebula-cert ca -name bench -out-crt ca.crt -out-key ca.key
      for host in 0 1; do
        nebula-cert sign -name host$host -ip 10.99.0.$((host + 1))/24 -subnets \
          10.32.0.$((host + 1))/32 -ca-crt ca.crt -ca-key ca.key -out-crt host$host.crt \
          -out-key host$host.key
      done
      touch ready
    fi
    until [ -e ../host0/ready ]; do sleep 0.05; done
    via=10.99.0.$((2 - number))
    cat > config.yml <<END
    pki: {ca: ../host0/ca.crt, cert: ../host0/host$number.crt, key: ../host0/host$number.key}
    static_host_map: {"$via": ["$remote:4242"]}
    lighthouse: {am_lighthouse: false}
    listen: {host: 0.0.0.0, port: 4242}
    tun: {dev: nebula0, mtu: $mtu, unsafe_routes: [{route: $other/32, via: $via, mtu: $mtu}]}
    firewall:
      outbound: [{port: any, proto: any, host: any}]
      inbound: [{port: any, proto: any, host: any}]
    END
    exec nebula -config config.yml
    """
}
