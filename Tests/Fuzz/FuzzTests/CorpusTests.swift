// SPDX-License-Identifier: Apache-2.0

import Foundation
import FuzzTargets
import Testing

/// Replays what the fuzzer and people found worth keeping.
@Suite struct CorpusTests {
  private static let corpora = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Corpora")

  @Test(arguments: FuzzTarget.allCases)
  func everyInputOfTheCorpusIsHandled(target: FuzzTarget) throws {
    let folder = Self.corpora.appending(path: target.rawValue)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.count >= 10)
    for name in names.sorted() {
      let bytes = try Array(Data(contentsOf: folder.appending(path: name)))
      #expect(throws: Never.self, "\(target.rawValue)/\(name)") { try target.run(bytes) }
    }
  }

  @Test func everyCorpusBelongsToATarget() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpora.path)
    #expect(Set(folders) == Set(FuzzTarget.allCases.map(\.rawValue)))
  }

  @Test(arguments: FuzzTarget.allCases)
  func fewBytesAreHandled(target: FuzzTarget) throws {
    #expect(throws: Never.self) { try target.run([]) }
    for byte in UInt8.min...UInt8.max {
      #expect(throws: Never.self, "\(byte)") { try target.run([byte]) }
    }
  }
}
