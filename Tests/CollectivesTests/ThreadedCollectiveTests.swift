import Collectives
import Testing

@Suite("Ranks that are threads")
struct ThreadedCollectiveTests {
  @Test("Results come back in rank order, whoever finishes first")
  func resultsInRankOrder() {
    let results = ThreadedCollective.run(ranks: 5) { world in
      // The higher a rank, the sooner it is done.
      var spins = (5 - world.rank) * 1000
      while spins > 0 { spins -= 1 }
      return "\(world.rank) of \(world.size)"
    }
    #expect(results == ["0 of 5", "1 of 5", "2 of 5", "3 of 5", "4 of 5"])
  }

  @Test("An agreed failure leaves as the error that every rank threw")
  func agreedFailureIsThrown() {
    let failure = #expect(throws: AgreedFailure.self) {
      _ = try ThreadedCollective.run(ranks: 3) { world throws(AgreedFailure) -> Int in
        if let failure = world.agree(
          on: world.rank > 0 ? "rank \(world.rank) sulks" : nil, code: 66)
        {
          throw failure
        }
        return world.rank
      }
    }
    #expect(
      failure == AgreedFailure(rank: 1, code: 66, message: "rank 1 sulks", failingRanks: 2))
  }

  @Test("Runs may be nested and may follow each other")
  func nestedRuns() {
    for _ in 0..<20 {
      let sums = ThreadedCollective.run(ranks: 3) { outer in
        let inner = ThreadedCollective.run(ranks: 2) { world in
          var values: [Int128] = [1]
          world.sum(&values)
          return values[0]
        }
        var values = [inner[0]]
        outer.sum(&values)
        return values[0]
      }
      #expect(sums == [6, 6, 6])
    }
  }
}

@Suite("An agreed failure in words")
struct AgreedFailureTests {
  @Test(
    "The others are counted",
    arguments: [
      (1, "rank 3: no file"),
      (2, "rank 3: no file (and 1 more rank failed)"),
      (3, "rank 3: no file (and 2 more ranks failed)"),
    ])
  func description(failing: Int, text: String) {
    let failure = AgreedFailure(rank: 3, code: 66, message: "no file", failingRanks: failing)
    #expect("\(failure)" == text)
  }
}
