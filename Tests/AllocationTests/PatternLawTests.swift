import Allocation
import Collectives
import TestSupport
import Testing

/// N:M plans against every combination of patterns of small problems.
@Suite("N:M patterns")
struct PatternLawTests {
  @Test("No combination of patterns that removes as many weights costs less, and none fits better")
  func bruteForce() throws {
    try forEachCase(seed: 71, cases: 200) { generator, number in
      let problem = try #require(
        PatternProblem(
          units: generator.integer(in: 1...5), isMeasured: number.isMultiple(of: 2), &generator))
      let solved: SolvedPatterns
      do { solved = try SolvedPatterns(problem) } catch {
        let reachable = problem.combinations().map(\.removed)
        let most = reachable.max() ?? 0
        try require(
          most < problem.target || (reachable.min() ?? 0) > problem.target || reachable.isEmpty,
          "\(error), but \(problem.target) is within reach")
        return
      }
      try require(solved.removed <= problem.target, "\(solved.removed) of \(problem.target)")
      // Short by less than one step of a unit.
      let widest = problem.widestStep
      try require(
        problem.target - solved.removed < max(widest, 1),
        "short by \(problem.target - solved.removed), steps are up to \(widest)")
      let best =
        problem.combinations().filter { $0.removed == solved.removed }.map(\.cost).min()
        ?? .infinity
      let ours = problem.cost(solved.zeros)
      try require(ours <= best + 1e-9 * max(abs(best), 1), "ours \(ours), best \(best)")
      try require(solved.certificate.kktResidual < 1e-9, "\(solved.certificate)")
      for (unit, zeros) in zip(problem.units, solved.zeros) {
        try require(problem.allows(unit, zeros), "\(zeros) of \(unit)")
      }
    }
  }

  @Test("Ranks and search methods do not change a bit of the answer")
  func ranksDoNotMatter() throws {
    try forEachCase(seed: 72, cases: 25) { generator, number in
      let problem = try #require(
        PatternProblem(
          units: generator.integer(in: 1...9), isMeasured: number.isMultiple(of: 2), &generator))
      guard let reference = try? SolvedPatterns(problem) else { return }
      for method in PriceSearch.Method.allCases {
        for ranks in [1, 2, 3, 4, 7] {
          let other = try SolvedPatterns(problem, ranks: ranks, method: method)
          try require(other == reference, "\(method) on \(ranks) ranks differs")
        }
      }
    }
  }

  @Test("Steps of equal cost go to the first units, as many as fit")
  func ties() throws {
    let patterns = try #require(SparsityPatterns("2:4"))
    let units = (0..<3).map { index in
      PatternUnit(
        unit: PruningUnit(index: index, quality: 1, weights: 40, lower: 0, upper: 1), groups: 10,
        costs: [0, 0, 0])
    }
    for (sparsity, expected) in [(0.25, [2, 1, 0]), (0.3, [2, 1, 0]), (0, [0, 0, 0])] {
      let problem = PatternProblem(
        units: units,
        program: .init(pruning: PruningProgram(sparsity: sparsity), patterns: patterns)
      )
      for ranks in [1, 2] {
        #expect(try SolvedPatterns(problem, ranks: ranks).zeros == expected)
      }
    }
  }

  @Test("What the patterns cannot reach is an error that names the nearest sparsity")
  func infeasible() throws {
    let patterns = try #require(SparsityPatterns("1:4,2:4"))
    // 10 inputs: two groups of 4, two inputs stay dense.
    let unit = PruningUnit(index: 0, quality: 1, weights: 100, lower: 0, upper: 1)
    let units = [PatternUnit(unit: unit, groups: 20, costs: [1, 3])]
    func message(_ sparsity: Double) -> String {
      let problem = PatternProblem(
        units: units,
        program: .init(pruning: PruningProgram(sparsity: sparsity), patterns: patterns)
      )
      do { return "\(try SolvedPatterns(problem, ranks: 2).zeros)" } catch { return "\(error)" }
    }
    #expect(message(0.4) == "[2]")
    #expect(message(0.39) == "[1]")
    #expect(message(0.41).contains("is 0.4;"), "\(message(0.41))")
    #expect(message(0.1).contains("is 0.2;"), "\(message(0.1))")
  }

  @Test("Patterns are read as they are written")
  func reading() {
    #expect(SparsityPatterns("2:4")?.zeros == [0, 1, 2])
    #expect(SparsityPatterns("2:4,0:4")?.zeros == [0, 2])
    #expect(SparsityPatterns("0:4,2:4")?.description == "0:4,2:4")
    #expect(SparsityPatterns("4:8")?.groups(outputs: 3, inputs: 17) == 6)
    for wrong in ["", "2", "2:", "5:4", "-1:4", "2:4,", "2:4,1:8", "2:4:8", "1:0", "1:65", "a:b"] {
      #expect(SparsityPatterns(wrong) == nil, "\(wrong)")
    }
  }

  @Test("Groups cost their cheapest weights, inputs beyond the last group nothing")
  func groups() throws {
    let patterns = try #require(SparsityPatterns("3:4"))
    try forEachCase(seed: 73, cases: 50) { generator, _ in
      let inputs = generator.integer(in: 1...19)
      var counter = GroupCounter(patterns)
      var expected = [0.0, 0, 0, 0]
      for _ in 0..<generator.integer(in: 1...4) {
        let row = (0..<inputs).map { _ in Double(generator.integer(in: 0...9)) }
        counter.add(row: row.span)
        for first in stride(from: 0, to: inputs / 4 * 4, by: 4) {
          let group = row[first..<first + 4].sorted()
          for zeros in 1...3 { expected[zeros] += group.prefix(zeros).reduce(0, +) }
        }
      }
      try require(counter.finish() == expected, "\(expected)")
      try require(counter.finish() == [0, 0, 0, 0], "the counter starts anew")
    }
  }
}

struct PatternProblem {
  let units: [PatternUnit]
  let program: PatternProgram

  init(units: [PatternUnit], program: PatternProgram) {
    self.units = units
    self.program = program
  }

  init?(units count: Int, isMeasured: Bool, _ generator: inout SeededGenerator) {
    let texts = ["2:4", "0:4,2:4", "1:2", "4:8", "0:4,1:4,3:4", "0:8,3:8,4:8"]
    guard let patterns = SparsityPatterns(texts[generator.integer(in: 0...texts.count - 1)]) else {
      return nil
    }
    var (pruning, random) = generator.pruningProgram(units: count, weights: 1...1)
    pruning.sparsity = generator.uniform(in: 0...0.55)
    let program = PatternProgram(pruning: pruning, patterns: patterns)
    var units: [PatternUnit] = []
    for unit in random {
      let (rows, inputs) = (generator.integer(in: 1...5), generator.integer(in: 8...40))
      let isBounded = generator.uniform() < 0.2
      let pruned = PruningUnit(
        index: unit.index, quality: unit.quality, weights: rows * inputs, lower: 0,
        upper: isBounded ? 0.4 : 1)
      let groups = patterns.groups(outputs: rows, inputs: inputs)
      var measured = 0.0
      var steps = (0..<patterns.groupSize).map { _ in generator.spread(1) }.sorted()
      if generator.uniform() < 0.2 { steps = steps.map { _ in 1 } }
      let costs = (0...patterns.largestZeros).map { zeros -> Double in
        if zeros > 0 { measured += steps[zeros - 1] * Double(groups) }
        return measured
      }
      units.append(
        PatternUnit(
          unit: pruned, groups: groups,
          costs: isMeasured
            ? patterns.zeros.map { costs[$0] }
            : program.closedFormCosts(of: pruned, groups: groups, totalUnits: count)))
    }
    self.init(units: units, program: program)
  }

  var target: Int {
    let total = units.reduce(0) { $0 + $1.unit.weights }
    return Int((program.pruning.sparsity * Double(total)).rounded())
  }

  func allows(_ unit: PatternUnit, _ zeros: Int) -> Bool {
    let share = Double(zeros * unit.groups) / Double(unit.unit.weights)
    return share >= unit.unit.lower && share <= unit.unit.upper
  }

  var widestStep: Int {
    units.map { unit in
      let removed = program.patterns.zeros.filter { allows(unit, $0) }.map { $0 * unit.groups }
      return (removed.max() ?? 0) - (removed.min() ?? 0)
    }.max() ?? 0
  }

  func cost(_ zeros: [Int]) -> Double {
    zip(units, zeros).reduce(0) { sum, pair in
      sum + pair.0.costs[program.patterns.zeros.firstIndex(of: pair.1) ?? 0]
    }
  }

  /// Every choice of one allowed pattern per unit.
  func combinations() -> [(removed: Int, cost: Double)] {
    var all: [[Int]] = [[]]
    for unit in units {
      let allowed = program.patterns.zeros.filter { allows(unit, $0) }
      all = all.flatMap { prefix in allowed.map { prefix + [$0] } }
    }
    return all.map { zeros in
      (zip(units, zeros).reduce(0) { $0 + $1.0.groups * $1.1 }, cost(zeros))
    }
  }
}

/// An N:M program solved on several ranks of one process.
struct SolvedPatterns: Equatable {
  let zeros: [Int]
  let integers: [Int]
  let removed: Int
  let mu: Double
  let certificate: Certificate

  init(
    _ problem: PatternProblem, ranks: Int = 1, method: PriceSearch.Method = .accelerated
  ) throws(AllocationError) {
    let results = ThreadedCollective.run(ranks: ranks) { world in
      Result { () throws(AllocationError) in
        var search = PriceSearch(method: method)
        return try problem.program.solve(
          slice(problem.units, rank: world.rank, of: ranks), totalUnits: problem.units.count,
          search: &search, over: world)
      }
    }
    var parts: [PatternSolution] = []
    for result in results { parts.append(try result.get()) }
    zeros = merge(parts.map(\.zeros), count: problem.units.count)
    integers = merge(parts.map(\.solution.integers), count: problem.units.count)
    removed = Int(parts[0].solution.spent)
    mu = parts[0].solution.mu
    certificate = parts[0].solution.certificate
  }
}
