import Foundation
import TestSupport
import Testing

@Suite struct TemporaryFolderTests {
  @Test("The folder is there and empty, and gone afterwards with what was put in it")
  func removed() throws {
    let path = try temporaryFolder { path in
      #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
      try Data([1, 2]).write(to: URL(fileURLWithPath: path + "/file"))
      return path
    }
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test("It goes when the body throws, too")
  func removedAfterError() {
    struct Broken: Error {}
    var kept = ""
    #expect(throws: Broken.self) {
      try temporaryFolder { path in
        kept = path
        throw Broken()
      }
    }
    #expect(!kept.isEmpty && !FileManager.default.fileExists(atPath: kept))
  }

  @Test("Two at once are two folders")
  func nested() throws {
    try temporaryFolder { outer in
      try temporaryFolder { inner in #expect(outer != inner) }
    }
  }
}

@Suite struct RelativeErrorTests {
  @Test("It is symmetric, relative to the larger one, and 0 for equal numbers")
  func values() {
    #expect(relativeError(1, 2) == 0.5)
    #expect(relativeError(2, 1) == 0.5)
    #expect(relativeError(-1, 1) == 2)
    #expect(relativeError(0, 0) == 0)
    #expect(relativeError(0, 3) == 1)
    #expect(relativeError(.infinity, .infinity) == 0)
  }

  @Test("It is nan, so that no comparison holds, for nan and a single infinity")
  func notNumbers() {
    #expect(relativeError(.nan, 1).isNaN)
    #expect(relativeError(1, .nan).isNaN)
    #expect(relativeError(.infinity, 1).isNaN)
  }
}
