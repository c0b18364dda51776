// SPDX-License-Identifier: Apache-2.0

import Testing

/// The rules of the house, each as a test over the whole repository.
///
/// `RuleTests` and its neighbours plant violations to show that each rule can fail.
@Suite struct HouseRuleTests {
  @Test func repositoryIsFound() {
    #expect(Repository.files.contains { $0.path == "Package.swift" })
    #expect(Repository.swift.count > 20)
  }

  @Test func filesAreShort() {
    expectTidy(Repository.swift + codeInC, SizeRules.fileLength)
  }

  @Test func functionsAreShort() {
    expectTidy(Repository.swift, SizeRules.functionLength)
  }

  @Test func linesFitInOneHundredColumns() {
    expectTidy(
      Repository.ownText.filter { $0.suffix != "md" && !$0.folders.contains("Fixtures") },
      SizeRules.columns)
  }

  @Test func unsafeCodeIsInFilesNamedForIt() {
    expectTidy(Repository.swift, SafetyRules.unsafeOnlyWhereItIsNamed)
  }

  @Test func nothingInSourcesEndsTheProcessByForce() {
    expectTidy(Repository.swift, SafetyRules.nothingEndsTheProcess)
  }

  @Test func importsGoDownwardsAndNeverBetweenThePlanes() {
    expectTidy(Repository.swift.filter { $0.module != nil }, LayerRules.importsGoDownwards)
  }

  @Test func packageDeclaresDependenciesDownwards() throws {
    let package = try #require(Repository.files.first { $0.path == "Package.swift" })
    let declared = LayerRules.declaredDependencies(package)
    #expect(declared.contains { $0.module == "Dataplane" && $0.dependencies.contains("XDP") })
    for (line, module, dependencies) in declared where LayerRules.places[module] != nil {
      expectNone(
        dependencies.compactMap { other in
          LayerRules.objection(module, imports: other).map {
            Finding(path: package.path, line: line, advice: $0)
          }
        })
    }
  }

  @Test func foundationAndLoggingStayInUpperLayers() {
    expectTidy(Repository.swift, LayerRules.librariesStayAbove)
  }

  @Test func lowLayersNeverWait() {
    expectTidy(Repository.swift, LayerRules.lowLayersNeverWait)
  }

  @Test func openWorkNamesItsIssue() {
    expectTidy(Repository.ownText, TextRules.openWorkHasANumber)
  }

  @Test func linesHaveNoTrailingBlanksAndNoTabulators() {
    expectTidy(
      Repository.ownText.filter { !$0.folders.contains("Fixtures") },
      TextRules.noTrailingBlanksOrTabulators)
  }

  @Test func filesEndWithOneNewline() {
    expectTidy(
      Repository.ownText.filter { !$0.folders.contains("Fixtures") }, TextRules.endsWithOneNewline)
  }

  @Test func noFileNamesAFolderOfOneMachine() {
    expectTidy(Repository.ownText, TextRules.noPathsOfOneMachine)
  }

  @Test func filesBeginWithTheirLicence() {
    expectTidy(Repository.ownText, TextRules.licenceComesFirst)
  }

  @Test func everyModuleOpensWithAParagraph() {
    expectNone(LayoutRules.modulesWithoutOpening(Repository.files))
  }

  @Test func foldersAreNamedForWhatTheyHold() {
    expectTidy(Repository.files, LayoutRules.namesSayWhatIsInside)
  }

  @Test func scriptsAndOnlyScriptsAreExecutable() {
    expectTidy(Repository.files, LayoutRules.scriptsAreExecutable)
  }

  @Test func noFileIsLargeWithoutAReason() {
    expectTidy(Repository.files, SizeRules.trackedLength)
    for (path, reason) in SizeRules.largeFiles {
      #expect(Repository.files.contains { $0.path == path }, "\(path) (\(reason)) is gone")
    }
  }

  @Test func gitTracksNothingThatABuildLeaves() {
    expectNone(LayoutRules.builtFiles(Repository.tracked() ?? []))
  }

  private var codeInC: [RepositoryFile] {
    Repository.files.filter { ["c", "h"].contains($0.suffix) && $0.text != nil }
  }
}
