import Collectives
import Testing

@Suite("Every implementation obeys the laws of a collective")
struct CollectiveLawTests {
  @Test("alone")
  func solo() {
    var laws = CollectiveLaws()
    laws.check(SoloCollective())
    #expect(laws.violations == [])
  }

  @Test("as threads, also more than cores", arguments: [1, 2, 3, 4, 7])
  func threads(ranks: Int) {
    let violations = ThreadedCollective.run(ranks: ranks) { world in
      var laws = CollectiveLaws()
      laws.check(world)
      return laws.violations
    }
    #expect(violations == Array(repeating: [], count: ranks))
  }

  @Test("as 16 threads")
  func manyThreads() {
    let violations = ThreadedCollective.run(ranks: 16) { world in
      var laws = CollectiveLaws()
      laws.rounds = 50
      laws.large = 1000
      laws.check(world)
      return laws.violations
    }
    #expect(violations == Array(repeating: [], count: 16))
  }
}
