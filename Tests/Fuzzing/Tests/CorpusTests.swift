import Foundation
import FuzzTargets
import Testing

/// Inputs that fuzzing found interesting or that once broke a reader, one folder per target.
@Suite("Corpora of hostile files", .serialized)
struct CorpusTests {
  private static let corpora = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Corpora")

  @Test("Every committed case is read or refused", arguments: FuzzTarget.allCases)
  func replay(target: FuzzTarget) throws {
    let folder = Self.corpora.appendingPathComponent(target.rawValue)
    let cases = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    #expect(cases.count >= 10)
    // A trap ends the test process: nothing else can go wrong here.
    for file in cases { target.read(Array(try Data(contentsOf: file))) }
  }
}
