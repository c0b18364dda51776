// SPDX-License-Identifier: Apache-2.0

import Inet
import Mesh
import Testing

/// Ways that a Weave router computed, as the wire notes list them.
struct RoutesVectorTests {
  /// Five peers: a-b a-c b-d c-d d-e.
  private func picture(establishedBD: Bool = true) -> Picture {
    var picture = Picture((1...5).map(peer))
    for (one, other) in [(1, 2), (1, 3), (3, 4), (4, 5)] as [(UInt64, UInt64)] {
      picture.connect(peer(one), peer(other))
    }
    picture.connect(peer(2), peer(4), established: establishedBD)
    return picture
  }

  private func name(_ letter: Character) -> PeerName {
    peer(UInt64(letter.asciiValue ?? 0) - 96)
  }

  private func letters(_ names: some Sequence<PeerName>) -> String {
    String(names.map { Character(UnicodeScalar(UInt8($0.bits + 96))) })
  }

  /// "c->a d->a" as at `own`.
  private func unicast(_ picture: Picture, _ own: Character, _ edges: Routes.Edges) throws -> String
  {
    let routes = Routes(picture.topology(of: name(own)), edges: edges)
    return routes.unicast.sorted { $0.key < $1.key }.map { letters([$0]) + letters([$1]) }
      .joined(separator: " ")
  }

  /// "a:bc b:d": everybody with whom it passes on what `source` broadcasts.
  private func broadcast(
    _ picture: Picture, _ source: Character, _ edges: Routes.Edges
  ) throws
    -> String
  {
    picture.peers.keys.sorted().compactMap { own in
      var routes = Routes(picture.topology(of: own), edges: edges)
      let names = routes.broadcast(from: name(source))
      return names.isEmpty ? nil : "\(letters([own])):\(letters(names))"
    }.joined(separator: " ")
  }

  private static let edges: [Routes.Edges] = [.all, .established]

  @Test(arguments: edges) func framesToAPeerTakeTheWaysOfWeave(_ edges: Routes.Edges) throws {
    let picture = picture()
    #expect(try unicast(picture, "a", edges) == "bb cc db eb")
    #expect(try unicast(picture, "b", edges) == "aa ca dd ed")
    #expect(try unicast(picture, "c", edges) == "aa ba dd ed")
    #expect(try unicast(picture, "d", edges) == "ab bb cc ee")
    #expect(try unicast(picture, "e", edges) == "ad bd cd dd")
  }

  @Test(arguments: edges) func floodsTakeTheWaysOfWeave(_ edges: Routes.Edges) throws {
    let picture = picture()
    #expect(try broadcast(picture, "a", edges) == "a:bc b:d d:e")
    #expect(try broadcast(picture, "b", edges) == "a:c b:ad d:e")
    #expect(try broadcast(picture, "c", edges) == "a:b c:ad d:e")
    #expect(try broadcast(picture, "d", edges) == "b:a d:bce")
    #expect(try broadcast(picture, "e", edges) == "b:a d:bc e:d")
  }

  @Test func framesToAPeerAvoidAConnectionThatIsNotEstablished() throws {
    let picture = picture(establishedBD: false)
    #expect(try unicast(picture, "a", .established) == "bb cc dc ec")
    #expect(try unicast(picture, "b", .established) == "aa ca da ea")
    #expect(try unicast(picture, "c", .established) == "aa ba dd ed")
    #expect(try unicast(picture, "d", .established) == "ac bc cc ee")
    #expect(try unicast(picture, "e", .established) == "ad bd cd dd")
    #expect(try unicast(picture, "a", .all) == "bb cc db eb")
  }

  @Test func floodsAvoidAConnectionThatIsNotEstablished() throws {
    let picture = picture(establishedBD: false)
    #expect(try broadcast(picture, "a", .established) == "a:bc c:d d:e")
    #expect(try broadcast(picture, "b", .established) == "a:c b:a c:d d:e")
    #expect(try broadcast(picture, "d", .established) == "a:b c:a d:ce")
    #expect(try broadcast(picture, "e", .established) == "a:b c:a d:c e:d")
    #expect(try broadcast(picture, "a", .all) == "a:bc b:d d:e")
  }

  @Test func inAFullMeshOnlyTheSourceSends() throws {
    var picture = Picture((1...4).map(peer))
    for one in 1...4 as ClosedRange<UInt64> {
      for other in 1..<one { picture.connect(peer(one), peer(other)) }
    }
    for edges in RoutesVectorTests.edges {
      #expect(try broadcast(picture, "b", edges) == "b:acd")
      #expect(try unicast(picture, "d", edges) == "aa bb cc")
    }
  }

  @Test func connectionThatOneEndCallsEstablishedCountsOnlyForGossip() throws {
    var picture = Picture([peer(1), peer(2)])
    picture.list(peer(1), peer(2), established: true)
    picture.list(peer(2), peer(1), established: false)
    for own in "ab" { #expect(try unicast(picture, own, .established) == "") }
    #expect(try unicast(picture, "a", .all) == "bb")
    #expect(try unicast(picture, "b", .all) == "aa")
  }

  @Test func connectionThatOneEndListsLeadsOneWay() throws {
    var picture = Picture([peer(1), peer(2), peer(3)])
    picture.connect(peer(1), peer(2))
    picture.list(peer(2), peer(3), established: true)
    #expect(try unicast(picture, "a", .all) == "bb cb")
    #expect(try unicast(picture, "c", .all) == "")
    #expect(try broadcast(picture, "a", .all) == "a:b b:c")
    #expect(try broadcast(picture, "c", .all) == "")
  }

  @Test func sourceThatIsNotKnownIsPassedOnToNobody() throws {
    var routes = Routes(picture().topology(of: peer(1)), edges: .all)
    #expect(routes.broadcast(from: peer(77)) == [])
    #expect(routes.broadcast(from: .unknown) == [])
  }

  @Test func answersAreTheSameWhenAskedAgain() throws {
    var routes = Routes(picture().topology(of: peer(1)), edges: .all)
    for _ in 0..<2 { #expect(routes.broadcast(from: peer(1)) == [peer(2), peer(3)]) }
  }

  @Test func namesAreOrderedAsNumbersWithoutASign() throws {
    // Whoever comes first in a level leads to the fourth; the highest bit does not make it early.
    let (low, high) = (peer(2), peer(0x8000_0000_0000))
    var picture = Picture([peer(1), low, high, peer(9)])
    for middle in [low, high] {
      picture.connect(peer(1), middle)
      picture.connect(middle, peer(9))
    }
    let routes = Routes(picture.topology(of: peer(1)), edges: .established)
    #expect(routes.unicast[peer(9)] == low)
  }
}
