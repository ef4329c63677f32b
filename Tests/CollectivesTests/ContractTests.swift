import Collectives
import Testing

/// Each mistake ends a child process with a text that names the rank and the mistake.
@Suite("A caller's mistake ends the process and is named")
struct ContractTests {
  @Test("Unequal counts")
  func unequalCounts() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = ThreadedCollective.run(ranks: 3) { world in
        var values = [Int128](repeating: 1, count: world.rank == 2 ? 5 : 4)
        world.sum(&values)
      }
    }
    expect(result, says: "rank 2: called sum(5 values) while rank 0 called sum(4 values)")
  }

  @Test("Unequal methods")
  func unequalMethods() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = ThreadedCollective.run(ranks: 2) { world in
        if world.rank == 0 { world.barrier() } else { _ = world.gather([], at: 0) }
      }
    }
    expect(result, says: "rank 1: called gather(at: 0) while rank 0 called barrier()")
  }

  @Test("Unequal roots")
  func unequalRoots() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = ThreadedCollective.run(ranks: 2) { world in world.broadcast([1], from: world.rank) }
    }
    expect(result, says: "rank 1: called broadcast(from: 1) while rank 0 called broadcast(from: 0)")
  }

  @Test("A rank that returns while another waits, or before it comes")
  func returnedRank() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = ThreadedCollective.run(ranks: 2) { world in
        if world.rank == 0 { world.barrier() }
      }
    }
    expect(result, says: "rank 0: barrier() waits for rank 1, which has returned")
  }

  @Test("A root that is no rank")
  func noSuchRoot() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = SoloCollective().gather([], at: 1)
    }
    expect(result, says: "rank 0: gather: root 1 is not a rank; there are ranks 0 to 0")
  }

  @Test("NaN in a maximum")
  func notANumber() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var values = [1, Double.nan]
      SoloCollective().maximum(&values)
    }
    expect(result, says: "rank 0: maximum: element 1 is NaN")
  }

  @Test("A total beyond 128 bits", arguments: [true, false])
  func overflow(negative: Bool) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [negative] in
      _ = ThreadedCollective.run(ranks: 2) { world in
        var values: [Int128] = [0, negative ? .min : .max]
        world.sum(&values)
      }
    }
    expect(result, says: "sum: the total of element 1 does not fit 128 bits")
  }

  private func expect(_ result: ExitTest.Result?, says text: String) {
    let words = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(words.contains(text), "it said: \(words.prefix(400))")
  }
}
