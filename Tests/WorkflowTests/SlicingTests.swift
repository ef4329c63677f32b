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
      let bound = WorkBound(work: work, ranks: ranks).value(below: found)
      try require(bound <= best * (1 + 1e-12), "the bound \(bound) is above \(best)")
      try require(bound >= work.reduce(0, +) / Double(ranks) - 1e-12, "the bound is below the mean")
      let limit = (4.0 / 3 - 1 / Double(3 * ranks)) * best
      try require(found <= limit + 1e-12, "\(found) is above \(limit)")
    }
  }

  /// Outputs and inputs of the linear layers of published models, by their config.json.
  enum PublishedModel: String, CaseIterable {
    case llama3of8B, mixtral8x7B, deepSeekV3

    var shapes: [(outputs: Int, inputs: Int)] {
      switch self {
      case .llama3of8B:
        return (0..<32).flatMap { _ in Self.attention + Self.swiGLU(4096, 14336) }
      case .mixtral8x7B:
        return (0..<32).flatMap { _ in
          Self.attention + [(8, 4096)] + (0..<8).flatMap { _ in Self.swiGLU(4096, 14336) }
        }
      case .deepSeekV3:
        let attention = [(1536, 7168), (24576, 1536), (576, 7168), (32768, 512), (7168, 16384)]
        return (0..<61).flatMap { layer in
          attention
            + (layer < 3
              ? Self.swiGLU(7168, 18432)
              : [(256, 7168)] + (0..<257).flatMap { _ in Self.swiGLU(7168, 2048) })
        }
      }
    }

    private static let attention = [(4096, 4096), (1024, 4096), (1024, 4096), (4096, 4096)]

    private static func swiGLU(_ hidden: Int, _ inner: Int) -> [(Int, Int)] {
      [(inner, hidden), (inner, hidden), (hidden, inner)]
    }

    /// kfac's operations of each module: two factorizations and two solves. A factor above the
    /// largest order counts as its diagonal.
    var work: [Double] {
      shapes.map { outputs, inputs in
        let (m, n) = (Double(outputs), Double(inputs))
        let factors = [m, n].filter { $0 <= 32_766 }.reduce(0) { $0 + $1 * $1 * $1 }
        return factors / 3 + m * m * n + m * n * n
      }
    }
  }

  @Test(
    "Slices of published models are within 5 % of what any division can have, on 1 to 1024 ranks",
    arguments: PublishedModel.allCases)
  func publishedModels(model: PublishedModel) throws {
    let work = model.work
    let total = work.reduce(0, +)
    let largest = work.max() ?? 0
    // Every count where it matters, and some beyond; the debug build divides 45,000 units slowly.
    let counts =
      work.count < 1000 ? Array(1...1024) : [1, 2, 3, 7, 16, 64, 100, 333, 512, 1000, 1024]
    for ranks in counts {
      let found = Slicing(work: work, ranks: ranks).work.max() ?? 0
      let bound = WorkBound(work: work, ranks: ranks).value(below: found)
      try require(found <= 1.05 * bound, "\(ranks) ranks: \(found) beside a bound of \(bound)")
      // Where the largest module is small beside a slice, the bound is the mean.
      if largest * 25 * Double(ranks) <= total {
        try require(found <= 1.05 * total / Double(ranks), "\(ranks) ranks: above the mean")
      }
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
