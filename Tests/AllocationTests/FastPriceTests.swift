import Collectives
import TestSupport
import Testing

@testable import Allocation

@Suite("Fast price search")
struct FastPriceTests {
  @Test("Price and γ have the bits of the plain search, on any number of ranks")
  func capacityRoads() throws {
    try forEachCase(seed: 81, cases: 40) { generator, number in
      // Some problems are large enough for a sample first, one for units to leave as well.
      let count =
        number == 0
        ? generator.integer(in: 9000...10_000)
        : number.isMultiple(of: 12) ? generator.integer(in: 1100...1600) : 0
      var problem = generator.wideCapacityProblem(
        units: count > 0 ? count : generator.integer(in: 1...50))
      if number.isMultiple(of: 2), problem.program.alpha > 0 { problem.program.gamma = .automatic }
      if number.isMultiple(of: 5) {
        problem.units = problem.units.map { $0.with(quality: 1) }
      }
      let plain = plainAnswer(problem)
      for ranks in [1, 2, 3, 7] {
        for method in PriceSearch.Method.allCases where count == 0 || method == .accelerated {
          let found = try price(problem, ranks: ranks, method: method)
          try require(
            found == plain, "\(found) instead of \(plain) by \(method) on \(ranks) ranks")
        }
      }
    }
  }

  @Test("μ has the bits of the plain search, on any number of ranks")
  func pruningRoads() throws {
    try forEachCase(seed: 82, cases: 40) { generator, number in
      let count =
        number == 0
        ? generator.integer(in: 9000...10_000)
        : number.isMultiple(of: 12)
          ? generator.integer(in: 1100...1600) : generator.integer(in: 1...50)
      var (program, units) = generator.pruningProgram(units: count, weights: 10...100_000)
      if number.isMultiple(of: 5) { units = units.map { $0.with(quality: 1) } }
      if number.isMultiple(of: 7) {
        units = units.map { $0.with(quality: $0.quality > 0 ? generator.spread(9) : 0) }
      }
      program.psi = number.isMultiple(of: 2) ? .quadratic : .log
      let plain = try plainDrive(program, units)
      for ranks in [1, 2, 3, 7] {
        let found = Double(bitPattern: try SolvedPruning(program, units, ranks: ranks).mu)
        try require(found == plain, "\(found) instead of \(plain) on \(ranks) ranks")
      }
    }
  }

  @Test("Columns alone find the price of the whole program")
  func columnsAlone() throws {
    try forEachCase(seed: 83, cases: 30) { generator, number in
      var problem = generator.wideCapacityProblem(units: generator.integer(in: 1...300))
      if number.isMultiple(of: 2), problem.program.alpha > 0 { problem.program.gamma = .automatic }
      let solved = try SolvedCapacity(problem.program, problem.units)
      var columns = CapacityColumns(problem.program, count: problem.units.count) {
        problem.units[$0]
      }
      var search = PriceSearch(method: .accelerated)
      let priced = try columns.price(
        totalUnits: problem.units.count, search: &search, over: SoloCollective())
      try require(
        priced.price.bitPattern == solved.price && priced.gamma.bitPattern == solved.gamma,
        "\(priced) instead of \(solved.lambda)")
      try require(search.evaluations > 0, "no term was evaluated")
    }
  }

  @Test("A budget below the floors is refused in the same words on every rank", arguments: [1, 3])
  func infeasible(ranks: Int) throws {
    try forEachCase(seed: 86, cases: 30) { generator, _ in
      var problem = generator.wideCapacityProblem(units: generator.integer(in: 1...60))
      let floor = problem.units.reduce(0) { $0 + $1.cost * $1.lower }
      guard floor > 0 else { return }
      problem.program.budget = floor * 0.9
      let (program, units) = (problem.program, problem.units)
      let refusals = ThreadedCollective.run(ranks: ranks) { world in
        var search = PriceSearch(method: .accelerated)
        do throws(AllocationError) {
          _ = try program.solve(
            slice(units, rank: world.rank, of: ranks), totalUnits: units.count,
            wholeNumbers: false, search: &search, over: world)
          return "none"
        } catch {
          return "\(error)"
        }
      }
      try require(
        Set(refusals).count == 1 && refusals[0].contains("the lower bounds alone cost"),
        "\(refusals)")
    }
  }

  @Test("Floors that round to the budget are kept to")
  func floorIsTheBudget() throws {
    // The exact sum of ten times 0.1 is above 1, and rounds to it.
    let units = (0..<10).map {
      CapacityUnit(index: $0, quality: 1, cost: 1, lower: 0.1, upper: .infinity)
    }
    var program = CapacityProgram(budget: 1)
    program.gamma = .fixed(1)
    let solved = try SolvedCapacity(program, units)
    #expect(solved.continuous == [Double](repeating: 0.1, count: 10) && solved.spent == 1)
  }

  /// γ and λ as the searches of single units find them by bisection.
  private func plainAnswer(_ problem: WideCapacity) -> [Double] {
    let (program, units) = (problem.program, problem.units)
    let world = SoloCollective()
    var search = PriceSearch(method: .bisection)
    let saturation = 2 * program.budget
    let scale = FixedPointScale(largest: saturation, terms: units.count)
    let weightless = units.map { PricedCapacity($0, program: program, gamma: 1) }
    let gamma: Double
    switch program.gamma {
    case .fixed(let fixed): gamma = fixed
    case .automatic:
      var demand = SlicedDemand(
        UnpricedDemand(scale: scale, utility: program.utilityCurve, saturation: saturation),
        units: weightless)
      let most = demand.localSums(at: [OrderedKey.largestFinite])[0]
      gamma = OrderedKey.value(
        of: search.firstKey(
          for: .gamma, of: demand, meeting: max(-scale.fixed(1.25 * program.budget), most),
          in: 0...OrderedKey.largestFinite, over: world
        ).key)
    }
    let ratio = weightless.reduce(0) { max($0, $1.runningCost / $1.cost) }
    let lowest =
      program.spend == .all
      ? -max(ratio * (1 + 0x1p-50), .leastNormalMagnitude) : -.leastNonzeroMagnitude
    let crossing = search.firstKey(
      for: .price,
      of: SlicedDemand(
        CapacityDemand(scale: scale, utility: program.utilityCurve, saturation: saturation),
        units: weightless.map { $0.scaled(by: gamma) }),
      meeting: scale.fixed(program.budget),
      in: OrderedKey.key(of: lowest)...OrderedKey.largestFinite, over: world)
    return [gamma, OrderedKey.value(of: crossing.key)]
  }

  private func price(
    _ problem: WideCapacity, ranks: Int, method: PriceSearch.Method
  ) throws -> [Double] {
    let solved = try SolvedCapacity(
      problem.program, problem.units, ranks: ranks, method: method)
    return [Double(bitPattern: solved.gamma), solved.lambda]
  }

  private func plainDrive(_ program: PruningProgram, _ units: [PruningUnit]) throws -> Double {
    let world = SoloCollective()
    var search = PriceSearch(method: .bisection)
    let target = try program.requireFeasible(
      units, totalUnits: units.count, search: &search, over: world)
    let scale = FixedPointScale(largest: Double(target.totalWeights), terms: units.count)
    let lowest = -max(abs(program.depthPrior), .leastNonzeroMagnitude)
    let crossing = search.firstKey(
      for: .price,
      of: SlicedDemand(
        PruningDemand(scale: scale, psi: program.psi),
        units: units.map { PricedPruning($0, program: program, totalUnits: units.count) }),
      meeting: -scale.fixed(Double(target.removed)),
      in: (OrderedKey.key(of: lowest) - 1)...OrderedKey.largestFinite, over: world)
    return OrderedKey.value(of: crossing.key)
  }
}
