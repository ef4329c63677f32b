import TestSupport
import Testing

@testable import Workflow

@Suite("Slices")
struct SlicingTests {
  @Test("Every unit is owned exactly once, and again the same way")
  func partition() throws {
    try forEachCase(seed: 81, cases: 300) { generator, _ in
      let ranks = generator.integer(in: 1...9)
      let work = (0..<generator.integer(in: 0...40)).map { _ in
        Double(generator.integer(in: 0...5)) * generator.uniform()
      }
      let slicing = Slicing(work: work, ranks: ranks)
      try require(
        slicing.unitsOfRank.flatMap { $0 }.sorted() == Array(work.indices), "not a partition")
      try require(slicing.unitsOfRank.allSatisfy { $0 == $0.sorted() }, "not in unit order")
      try require(slicing == Slicing(work: work, ranks: ranks), "not deterministic")
      // Graham 1969: longest processing time first ends within 4/3 − 1/(3m) of the best; the best is
      // at least the mean and at least the largest item.
      let best = max(work.reduce(0, +) / Double(ranks), work.max() ?? 0)
      let bound = (work.max() ?? 0) + work.reduce(0, +) / Double(ranks)
      try require((slicing.work.max() ?? 0) <= bound + 1e-12, "above the list-scheduling bound")
      try require((slicing.work.max() ?? 0) >= best - 1e-12, "below what is possible")
    }
  }

  @Test("The largest slice is within 4/3 of the best that enumeration finds")
  func grahamsBound() throws {
    try forEachCase(seed: 82, cases: 60) { generator, _ in
      let ranks = generator.integer(in: 2...3)
      let work = (0..<generator.integer(in: 1...7)).map { _ in generator.uniform() }
      var best = Double.infinity
      var choice = [Int](repeating: 0, count: work.count)
      func visit(_ position: Int) {
        guard position < work.count else {
          var load = [Double](repeating: 0, count: ranks)
          for (item, rank) in zip(work, choice) { load[rank] += item }
          best = min(best, load.max() ?? 0)
          return
        }
        for rank in 0..<ranks {
          choice[position] = rank
          visit(position + 1)
        }
      }
      visit(0)
      let found = Slicing(work: work, ranks: ranks).work.max() ?? 0
      let limit = (4.0 / 3 - 1 / Double(3 * ranks)) * best
      try require(found <= limit + 1e-12, "\(found) is above \(limit)")
    }
  }

  @Test("Gaps in a sequence of layers are told, complete ones are not")
  func gaps() {
    #expect(LayerGaps.notes(of: ["l.0", "l.1", "l.2", "head", "x.y"]).isEmpty)
    let notes = LayerGaps.notes(of: ["l.0", "l.3", "k.1", "head"])
    #expect(notes.count == 2)
    #expect(notes[0].contains("k: 1 of 2") && notes[1].contains("l: 2 of 4"))
    #expect(notes[1].contains("(1, 2)"))
  }
}
