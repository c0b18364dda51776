// SPDX-License-Identifier: Apache-2.0

import Gob
import Inet
import Mesh
import TestSupport
import Testing

@Suite struct FeaturesTests {
  private static let features = Features(
    name: PeerName(bits: 0x0200_0000_000A), nickname: "hostA", uid: .max, connectionID: 0,
    shortID: ShortID(2914), isTrusting: false, overlays: ["fastdp", "sleeve"],
    extensions: ["vxlan"])
  private static let entries = [
    "PeerNameFlavour": "mac", "Name": "02:00:00:00:00:0a", "NickName": "hostA",
    "UID": "18446744073709551615", "ConnID": "0", "ShortID": "2914", "Trusted": "false",
    "Overlays": "fastdp sleeve", "Weft": "vxlan",
  ]

  @Test func featuresAreTexts() throws {
    #expect(Self.features.map == FeatureMap(Self.entries))
    #expect(try Features(FeatureMap(Self.entries)) == Self.features)
  }

  @Test func whatAnOldPeerLeavesOutIsAbsent() throws {
    let old = Self.entries.filter {
      ["PeerNameFlavour", "Name", "NickName", "UID", "ConnID"].contains($0.key)
    }
    let features = try Features(FeatureMap(old))
    #expect(features.shortID == nil && features.overlays == nil && !features.isTrusting)
    #expect(features.extensions.isEmpty)
    #expect(features.map == FeatureMap(old.merging(["Trusted": "false"]) { $1 }))
  }

  @Test(arguments: ["PeerNameFlavour", "Name", "NickName", "UID", "ConnID"])
  func aRequiredKeyThatIsMissingIsNamed(key: String) {
    var entries = Self.entries
    entries[key] = nil
    #expect(throws: FeatureError(key: key, problem: "is missing")) {
      try Features(FeatureMap(entries))
    }
  }

  @Test(arguments: [
    ("PeerNameFlavour", "hash"), ("PeerNameFlavour", ""), ("Name", ""), ("Name", "hostA"),
    ("Name", "00:00:00:00:00:00"), ("UID", "0"), ("UID", "-1"), ("UID", "+1"), ("UID", ""),
    ("UID", "18446744073709551616"), ("UID", "0x10"), ("UID", " 1"), ("ConnID", "1.0"),
    ("ConnID", "٣"), ("ShortID", "4096"), ("ShortID", ""), ("ShortID", "-1"),
    ("ShortID", "18446744073709551615"), ("Trusted", ""), ("Trusted", "yes"), ("Trusted", "tRUE"),
  ])
  func aWrongValueIsRefusedByItsKey(key: String, value: String) {
    var entries = Self.entries
    entries[key] = value
    #expect {
      try Features(FeatureMap(entries))
    } throws: { error in
      (error as? FeatureError)?.key == key
    }
  }

  @Test func truthHasTheWordsOfGo() throws {
    var entries = Self.entries
    for word in ["1", "t", "T", "true", "True", "TRUE"] {
      entries["Trusted"] = word
      #expect(try Features(FeatureMap(entries)).isTrusting, "\(word)")
    }
    for word in ["0", "f", "F", "false", "False", "FALSE"] {
      entries["Trusted"] = word
      #expect(try !Features(FeatureMap(entries)).isTrusting, "\(word)")
    }
  }

  @Test func wordsAreSplitBySpaces() throws {
    var entries = Self.entries
    entries["Overlays"] = " sleeve  awsvpc "
    entries["Weft"] = ""
    entries["Unheard"] = "of"
    let features = try Features(FeatureMap(entries))
    #expect(features.overlays == ["sleeve", "awsvpc"])
    #expect(features.extensions.isEmpty)
    entries["Overlays"] = ""
    #expect(try Features(FeatureMap(entries)).overlays == [])
  }

  @Test func theFirstFrameHasItsKeysInOrder() throws {
    let bytes = FeatureMap(["b": "2", "a": "1"]).gob
    let expected = "0e ff81 04 01 02 ff82 00 01 0c 01 0c 00 00 0c ff82 00 02 0161 0131 0162 0132"
    #expect(bytes == hexadecimal(expected))
    #expect(try FeatureMap(gob: bytes) == FeatureMap(["a": "1", "b": "2"]))
    #expect(try FeatureMap(gob: FeatureMap([:]).gob) == FeatureMap([:]))
  }

  @Test func moreThan256FeaturesAreRefused() {
    func map(_ count: Int) -> [UInt8] {
      FeatureMap(Dictionary(uniqueKeysWithValues: (0..<count).map { ("\($0)", "") })).gob
    }
    #expect(throws: Never.self) { try FeatureMap(gob: map(256)) }
    #expect(throws: GobError.self) { try FeatureMap(gob: map(257)) }
    #expect(throws: GobError.self) { try FeatureMap(gob: map(100_000)) }
  }

  @Test func everyTruncationOfTheFirstFrameIsRefused() {
    let bytes = Self.features.map.gob
    for length in 0..<bytes.count {
      #expect(throws: GobError.self, "\(length) bytes") {
        try FeatureMap(gob: Array(bytes[..<length]))
      }
    }
  }
}
