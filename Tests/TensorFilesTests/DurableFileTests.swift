import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite("Durable files")
struct DurableFileTests {
  @Test("Contents are replaced whole, and nothing else is left in the folder")
  func replaces() throws {
    try temporaryFolder { folder in
      let path = folder + "/plan.json"
      try DurableFile.write([1, 2, 3], to: path)
      try DurableFile.write([4], to: path)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([4]))
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["plan.json"])
    }
  }

  @Test("Places that cannot be written are refused before any work, and stay as they were")
  func refuses() throws {
    try temporaryFolder { folder in
      for path in ["", folder, folder + "/missing/plan.json"] {
        #expect {
          try DurableFile.requireWritable(path)
        } throws: { error in
          (error as? TensorFileError)?.kind == .writeFailure
        }
      }
      try DurableFile.requireWritable(folder + "/plan.json")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }
}
