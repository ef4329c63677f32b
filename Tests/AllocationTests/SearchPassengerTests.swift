import TestSupport
import Testing

@testable import Allocation

@Suite("The price on the way to γ")
struct SearchPassengerTests {
  @Test(
    "Units leave only where they ask for the same at every γ and price left, by columns and unit by unit"
  )
  func narrowing() throws {
    try forEachCase(seed: 94, cases: 60) { generator, _ in
      let problem = generator.wideCapacityProblem(units: generator.integer(in: 1...200))
      let saturation = 2 * problem.program.budget
      let scale = FixedPointScale(largest: saturation, terms: problem.units.count)
      let cutter = try #require(LimbCutter(largest: saturation, scale: scale))
      let weightless = problem.units.map { PricedCapacity($0, program: problem.program, gamma: 1) }
      let curve = CapacityDemand(
        scale: scale, utility: problem.program.utilityCurve, saturation: saturation)
      var columns = RidingColumns(
        UnitColumns(weightless), offset: problem.program.offset, saturation: saturation, cutter)
      var units = RidingUnits(weightless, curve: curve)
      // Boxes within each other, the prices of some below 0.
      var (gammas, prices) = (generator.box(lowest: 0), generator.box(lowest: -3))
      var left = problem.units.count
      for _ in 0..<3 {
        try require(
          columns.narrow(to: gammas, prices) > 0 || left == 0, "no term was evaluated")
        _ = units.narrow(to: gammas, prices)
        for _ in 0..<4 {
          let gamma = Int64.random(in: gammas.lowerBound + 1...gammas.upperBound, using: &generator)
          let price = Int64.random(in: prices, using: &generator)
          var plain = SlicedDemand(
            curve, units: weightless.map { $0.scaled(by: OrderedKey.value(of: gamma)) })
          let exact = plain.localSums(at: [price])
          var fast = columns.demand(given: gamma)
          var slow = units.demand(given: gamma)
          try require(fast.localSums(at: [price]) == exact, "columns differ at \(gamma), \(price)")
          try require(slow.localSums(at: [price]) == exact, "units differ at \(gamma), \(price)")
          try require(slow.activeUnits <= fast.activeUnits, "columns let more units go")
          left = min(left, slow.activeUnits)
        }
        gammas = generator.part(of: gammas)
        prices = generator.part(of: prices)
      }
    }
  }

  @Test(
    "Bounds are proved by measurements under a γ at the right side of all that are left, and only by these"
  )
  func carriedBracket() throws {
    try forEachCase(seed: 95, cases: 300) { generator, _ in
      // The answer under γ is at 10 γ: demands are 10 γ − key against a target of 0.
      let gamma = Int64(generator.integer(in: 20...80))
      var gammas: ClosedRange<Int64> = 0...100
      var bracket = CarriedBracket()
      var reached = false
      for _ in 0..<12 {
        let guess = Int64.random(in: gammas.lowerBound + 1...gammas.upperBound, using: &generator)
        let keys = Set((0..<3).map { _ in Int64(generator.integer(in: 0...1000)) }).sorted()
        bracket.measured(
          keys.map { MeasuredPoint(key: $0, demand: Int128(10 * guess - $0)) }, target: 0,
          under: guess)
        gammas = guess < gamma ? guess...gammas.upperBound : gammas.lowerBound...guess
        if gammas.upperBound - gammas.lowerBound < 2 { break }
        bracket.narrow(to: gammas)
        let (lower, upper) = (bracket.lower ?? -1, bracket.upper ?? 1001)
        try require(
          lower < 10 * gamma && 10 * gamma <= upper, "\(lower)...\(upper) without \(10 * gamma)")
        reached = reached || bracket.lower != nil || bracket.upper != nil
      }
      try require(reached || gammas.upperBound - gammas.lowerBound < 2, "nothing was proved")
    }
  }

  @Test("A demand that was measured under one γ is moved to another by its slope")
  func slope() throws {
    try forEachCase(seed: 96, cases: 60) { generator, _ in
      let units = (0..<200).map { index in
        PricedCapacity(
          CapacityUnit(
            index: index, quality: generator.logNormal(location: 1.4, scale: 2),
            cost: generator.uniform(in: 0.5...2), lower: 0, upper: .infinity),
          program: CapacityProgram(budget: 400), gamma: 1)
      }
      let curve = CapacityDemand(
        scale: FixedPointScale(largest: 1e6, terms: 200),
        utility: UtilityCurve(offset: 1e-9, utility: .log),
        saturation: 1e6)
      let riding = RidingUnits(units, curve: curve)
      func demand(_ gamma: Int64, _ price: Int64) -> Int128 {
        var demand = riding.demand(given: gamma)
        return demand.localSums(at: [price])[0]
      }
      let gamma = OrderedKey.key(of: generator.uniform(in: 1...2))
      let price = OrderedKey.key(of: generator.uniform(in: 0.1...3))
      let beside = try #require(AnswerSlope.neighbour(of: gamma, in: 0...OrderedKey.largestFinite))
      let slope = try #require(
        AnswerSlope(from: gamma, demand(gamma, price), to: beside, demand(beside, price)))
      // All of them ask for γ w/(a + λ c), in proportion to γ but for what s takes off.
      let other = OrderedKey.key(
        of: OrderedKey.value(of: gamma) * generator.uniform(in: 0.8...1.25))
      let moved = slope.moved(
        MeasuredPoint(key: price, demand: demand(gamma, price)), from: gamma, to: other)
      let exact = demand(other, price)
      try require(
        abs(Double(moved.demand - exact)) < 1e-7 * Double(exact), "\(moved.demand) for \(exact)")
      try require(moved.key == price && moved.error > 0, "\(moved)")
    }
    #expect(AnswerSlope.neighbour(of: 1000, in: 900...1100) == nil)
  }

  @Test("A guess that leads out of the bracket does not end a search")
  func neverNothingToTry() {
    // A sample that asks for next to nothing above a price that the bracket excludes.
    let floor = OrderedKey.key(of: 1)
    let keys = (0..<8).map { OrderedKey.key(of: 0x1p-300 * Double(1 + $0)) }
    var progress = SearchProgress(
      method: .accelerated, target: 5, bracket: floor...OrderedKey.largestFinite,
      outlook: SearchOutlook(
        likely: OrderedKey.binades(below: 1), totalUnits: 1 << 20), ranks: 1)
    progress.sampled = SampledCurve(
      keys: keys, demands: (0..<8).map { 8 - Double($0) }, units: 1 << 12)
    #expect(progress.keys().first == floor + 1)
  }
}

extension SeededGenerator {
  /// Keys of doubles between powers of ten, from the tenth of one up where that is not below 0.
  fileprivate mutating func box(lowest: Double) -> ClosedRange<Int64> {
    let ends = [uniform(in: lowest...0) + spread(2), spread(2)].sorted()
    return OrderedKey.key(of: ends[0])...OrderedKey.key(of: ends[1] * 1.001 + 1e-9)
  }

  fileprivate mutating func part(of range: ClosedRange<Int64>) -> ClosedRange<Int64> {
    guard range.upperBound &- range.lowerBound > 8 else { return range }
    let middle = Int64.random(in: range.lowerBound + 2...range.upperBound - 2, using: &self)
    return Bool.random(using: &self) ? middle...range.upperBound : range.lowerBound...middle
  }
}
