import Synchronization
import TestSupport
import Testing

@Suite struct ForEachCaseTests {
  @Test("Every case runs once, in order, with draws of its own")
  func allRun() {
    var numbers: [Int] = []
    var draws: Set<UInt64> = []
    forEachCase(seed: 7, cases: 50) { generator, number in
      numbers.append(number)
      draws.insert(generator.next())
    }
    #expect(numbers == Array(0..<50))
    #expect(draws.count == 50)
  }

  @Test("A case can be drawn alone")
  func alone() {
    var drawn: UInt64 = 0
    forEachCase(seed: 7, cases: 10) { generator, number in
      if number == 6 { drawn = generator.next() }
    }
    var generator = SeededGenerator(seed: 7, stream: 6)
    #expect(generator.next() == drawn)
  }

  @Test("A failed expectation names seed and first failing case, and ends the loop")
  func failedExpectation() {
    var last = -1
    let comments = comments {
      forEachCase(seed: 41, cases: 9) { _, number in
        last = number
        #expect(number < 3)
      }
    }
    #expect(last == 3)
    #expect(comments.contains("seed 41, case 3 of 9 is the first that fails"))
  }

  @Test("A thrown error names seed and case and goes on up unchanged")
  func thrownError() {
    struct Broken: Error {}
    let comments = comments {
      #expect(throws: Broken.self) {
        try forEachCase(seed: 5, cases: 4) { _, number in
          if number == 2 { throw Broken() }
        }
      }
    }
    #expect(comments == ["seed 5, case 2 of 4 is the first that fails"])
  }

  /// The comments of the issues that `body` records, which do not fail the test. Thrown errors are
  /// left alone: an issue that is known would swallow its error.
  private func comments(_ body: () -> Void) -> [String] {
    let found = Found()
    withKnownIssue {
      body()
    } matching: { issue in
      found.comments.withLock { $0 += issue.comments.map(\.rawValue) }
      return issue.error == nil
    }
    return found.comments.withLock { $0 }
  }

  private final class Found: Sendable {
    let comments = Mutex<[String]>([])
  }
}
