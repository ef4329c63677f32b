import Allocation
import Collectives
import TestSupport
import Testing

/// The measured program against a full sort of the keys, and against every plan of small problems.
@Suite("Measured pruning")
struct MeasuredLawTests {
  @Test("The answer is the one that a full sort of all keys gives")
  func sorting() throws {
    try forEachCase(seed: 61, cases: 150) { generator, _ in
      let problem = MeasuredProblem(
        units: generator.integer(in: 1...8), weights: 20...300, &generator)
      let solved = try SolvedMeasured(problem)
      try require(solved.integers.reduce(0, +) == solved.target, "the sum")
      try require(solved.integers == problem.sorted(solved.target), "\(problem)")
    }
  }

  @Test("Ranks and search methods do not change a bit of the answer")
  func ranksDoNotMatter() throws {
    try forEachCase(seed: 62, cases: 6) { generator, _ in
      let problem = MeasuredProblem(
        units: generator.integer(in: 1...12), weights: 5...200, &generator)
      let reference = try SolvedMeasured(problem)
      for method in PriceSearch.Method.allCases {
        for ranks in [1, 2, 3, 4, 7] {
          let other = try SolvedMeasured(problem, ranks: ranks, method: method)
          try require(other == reference, "\(method) on \(ranks) ranks differs")
        }
      }
    }
  }

  @Test("No plan of small problems within the bounds costs less, but for ties of 31 bits")
  func bruteForce() throws {
    try forEachCase(seed: 63, cases: 150) { generator, _ in
      let problem = MeasuredProblem(
        units: generator.integer(in: 1...4), weights: 2...6, &generator)
      guard let solved = try? SolvedMeasured(problem) else { return }
      let ours = problem.cost(solved.integers)
      var best = Double.infinity
      func visit(_ prefix: [Int], _ left: Int) {
        guard prefix.count < problem.units.count else {
          if left == 0 { best = min(best, problem.cost(prefix)) }
          return
        }
        let bounds = problem.wholeBounds(prefix.count)
        for count in stride(from: bounds.0, through: min(bounds.1, left), by: 1) {
          visit(prefix + [count], left - count)
        }
      }
      visit([], solved.target)
      try require(ours <= best * (1 + 0x1p-19), "ours \(ours), best \(best)")
      try require(ours >= best * (1 - 1e-12), "ours \(ours) beats the best \(best)?")
    }
  }

  @Test("The certificate closes to the width of a key, and the price is the cost at the threshold")
  func certificate() throws {
    try forEachCase(seed: 64, cases: 100) { generator, _ in
      let problem = MeasuredProblem(
        units: generator.integer(in: 1...8), weights: 50...500, &generator)
      let solution = try SolvedMeasured(problem)
      let certificate = solution.certificate
      try require(certificate.kktResidual < 0x1p-18, "\(certificate)")
      try require(certificate.gap >= -1e-12 * certificate.primal, "\(certificate)")
      try require(solution.price == problem.program.b - solution.mu, "\(solution.price)")
      // Bounded units stop inside a bin, whose mean is charged: 1/32 of the weights there.
      let exact = problem.cost(solution.integers)
      try require(
        certificate.primal >= exact * (1 - 1e-12) && certificate.primal <= exact * (1 + 1.0 / 16),
        "\(certificate.primal), \(exact)")
    }
  }

  @Test("Equal costs are shared evenly, as far as bounds allow")
  func ties() throws {
    let units = (0..<4).map {
      PruningUnit(index: $0, quality: 1, weights: 10, lower: 0, upper: $0 == 1 ? 0.2 : 1)
    }
    let costs = (0..<4).map { _ in [Double](repeating: 0.25, count: 10) }
    let problem = MeasuredProblem(
      units: units, costs: costs, program: MeasuredProgram(sparsity: 0.5))
    for ranks in [1, 3] {
      #expect(try SolvedMeasured(problem, ranks: ranks).integers == [6, 2, 6, 6])
    }
  }

  @Test("Nothing, everything, zeros and subnormal costs")
  func edges() throws {
    let units = (0..<2).map {
      PruningUnit(index: $0, quality: 1, weights: 4, lower: 0, upper: 1)
    }
    let small = Double.leastNormalMagnitude / 8
    let costs = [[0, 0, small, 1], [0, .leastNonzeroMagnitude, 2, 1e300]]
    for (sparsity, expected) in [
      (0, [0, 0]), (1, [4, 4]), (0.375, [2, 1]), (0.5, [2, 2]), (0.625, [3, 2]),
    ] {
      let problem = MeasuredProblem(
        units: units, costs: costs, program: MeasuredProgram(sparsity: sparsity))
      let solved = try SolvedMeasured(problem, ranks: 2)
      #expect(solved.integers == expected, "\(sparsity)")
    }
  }

  @Test("The cost of the smallest weights is never too little and exact where places end")
  func curve() throws {
    try forEachCase(seed: 65, cases: 50) { generator, _ in
      let costs = (0..<generator.integer(in: 1...400)).map { _ in generator.spread(2) }
      var counter = CostCounter(.bins)
      counter.add(costs.span, factor: 1)
      let histogram = counter.finish()
      let sorted = costs.sorted()
      var exact = 0.0
      for count in 0...costs.count {
        let found = histogram.cost(ofSmallest: count)
        try require(found >= exact * (1 - 1e-12), "\(count): \(found), \(exact)")
        try require(found <= exact * (1 + 1.0 / 16) + 1e-300, "\(count): \(found), \(exact)")
        if count < costs.count { exact += sorted[count] }
      }
      try require(histogram.count == costs.count, "\(histogram.count)")
      try require(relativeError(histogram.total, exact) < 1e-12, "\(histogram.total), \(exact)")
      try require(counter.finish().count == 0, "the counter starts anew")
    }
  }

  @Test("Sparsities beyond the bounds are refused before the second pass")
  func infeasible() {
    let unit = PruningUnit(index: 0, quality: 1, weights: 4, lower: 0, upper: 0.5)
    let problem = MeasuredProblem(
      units: [unit], costs: [[1, 2, 3, 4]], program: MeasuredProgram(sparsity: 0.75))
    #expect(throws: AllocationError.self) { try SolvedMeasured(problem, ranks: 2) }
  }
}

/// Units with all their costs at hand, which the program itself never has.
struct MeasuredProblem {
  let units: [PruningUnit]
  let costs: [[Double]]
  let program: MeasuredProgram

  init(units: [PruningUnit], costs: [[Double]], program: MeasuredProgram) {
    self.units = units
    self.costs = costs
    self.program = program
  }

  init(
    units count: Int, weights: ClosedRange<Int>, _ generator: inout SeededGenerator
  ) {
    let (random, units) = generator.pruningProgram(units: count, weights: weights)
    var program = MeasuredProgram(sparsity: random.sparsity)
    program.kappa = [0, 0, 0.5, 1][generator.integer(in: 0...3)]
    let usesTies = generator.uniform() < 0.3
    var costs: [[Double]] = []
    for unit in units {
      let scale = generator.spread(1)
      costs.append(
        (0..<unit.weights).map { _ in
          if usesTies { return Double(generator.integer(in: 0...4)) }
          return generator.uniform() < 0.05 ? 0 : scale * generator.spread(2)
        })
    }
    self.init(units: units, costs: costs, program: program)
  }

  private func factor(_ unit: Int) -> Double { program.factor(ofQuality: units[unit].quality) }

  func wholeBounds(_ unit: Int) -> (Int, Int) {
    let n = Double(units[unit].weights)
    let lower = Int((n * units[unit].lower).rounded(.up))
    let upper = Int((n * units[unit].upper).rounded(.down))
    guard lower <= upper else {
      let middle = Int((n * (units[unit].lower + units[unit].upper) / 2).rounded())
      return (middle, middle)
    }
    return (lower, upper)
  }

  /// The objective of a plan, exactly.
  func cost(_ counts: [Int]) -> Double {
    units.indices.reduce(0) { sum, unit in
      sum + factor(unit) * costs[unit].sorted().prefix(counts[unit]).reduce(0, +)
    }
  }

  private func keys(_ unit: Int) -> [UInt64] {
    let factor = factor(unit)
    return costs[unit].map { (factor * $0).bitPattern >> 32 }
  }

  /// The second road: the threshold among the sorted keys at which the clipped counts reach S, then
  /// one weight after another to whoever has the fewest ties so far.
  func sorted(_ target: Int) -> [Int] {
    func clipped(_ unit: Int, _ count: Int) -> Int {
      let bounds = wholeBounds(unit)
      return min(max(count, bounds.0), bounds.1)
    }
    let all = units.indices.map { keys($0) }
    func counts(_ holds: (UInt64) -> Bool) -> [Int] {
      units.indices.map { unit in clipped(unit, all[unit].count(where: holds)) }
    }
    var below = units.indices.map { clipped($0, 0) }
    guard below.reduce(0, +) < target else { return below }
    let threshold = Set(all.flatMap { $0 }).sorted().first { key in
      counts { $0 <= key }.reduce(0, +) >= target
    }
    guard let threshold else { return [] }
    below = counts { $0 < threshold }
    let most = counts { $0 <= threshold }
    let start = below
    while below.reduce(0, +) < target {
      let open = units.indices.filter { below[$0] < most[$0] }
      guard let next = open.min(by: { below[$0] - start[$0] < below[$1] - start[$1] }) else {
        return []
      }
      below[next] += 1
    }
    return below
  }
}

/// A measured program solved on several ranks of one process, in its two passes.
struct SolvedMeasured: Equatable {
  let continuous: [Double]
  let integers: [Int]
  let mu: Double
  let price: Double
  let target: Int
  let certificate: Certificate

  init(
    _ problem: MeasuredProblem, ranks: Int = 1, method: PriceSearch.Method = .accelerated
  ) throws(AllocationError) {
    let results = ThreadedCollective.run(ranks: ranks) { world in
      Result { () throws(AllocationError) in
        let units = slice(problem.units, rank: world.rank, of: ranks)
        let costs = slice(problem.costs, rank: world.rank, of: ranks)
        func pass(_ resolution: CostCounter.Resolution) -> [CostHistogram] {
          var counter = CostCounter(resolution)
          return zip(units, costs).map { unit, costs in
            // In two pieces, as a unit of two modules comes.
            let factor = problem.program.factor(ofQuality: unit.quality)
            counter.add(Array(costs.prefix(costs.count / 2)).span, factor: factor)
            counter.add(Array(costs.suffix(from: costs.count / 2)).span, factor: factor)
            return counter.finish()
          }
        }
        var search = PriceSearch(method: method)
        let bins = pass(.bins)
        let crossing = try problem.program.crossing(
          units, bins: bins, totalUnits: problem.units.count, search: &search, over: world)
        var curves = bins.map { MeasuredCurve(bins: $0) }
        if let bin = crossing.bin {
          curves = zip(bins, pass(.keys(ofBin: bin))).map {
            MeasuredCurve(bins: $0, keys: $1, at: crossing)
          }
        }
        return problem.program.solve(
          units, curves: curves, crossing: crossing, totalUnits: problem.units.count,
          search: &search, over: world)
      }
    }
    var parts: [PruningSolution] = []
    for result in results { parts.append(try result.get()) }
    continuous = merge(parts.map(\.continuous), count: problem.units.count)
    integers = merge(parts.map(\.integers), count: problem.units.count)
    mu = parts[0].mu
    price = parts[0].price
    target = parts[0].target
    certificate = parts[0].certificate
  }
}
