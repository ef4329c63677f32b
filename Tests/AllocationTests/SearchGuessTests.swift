import TestSupport
import Testing

@testable import Allocation

@Suite("Guesses of the price search")
struct SearchGuessTests {
  @Test("Where all a/c are equal, a curve against γ says what is asked at every price")
  func pricesOfSample() throws {
    try forEachCase(seed: 91, cases: 40) { generator, _ in
      let program = CapacityProgram(budget: 200)
      let units = capped(&generator, program, count: 100)
      let scale = FixedPointScale(largest: 2 * program.budget, terms: units.count)
      var unpriced = SlicedDemand(
        UnpricedDemand(scale: scale, utility: program.utilityCurve, saturation: 400), units: units)
      let keys = (0..<60).map { OrderedKey.key(of: 0.01 * Double(1 + $0)) }
      let curve = SampledCurve(
        keys: keys, demands: unpriced.localSums(at: keys).map { Double($0) }, units: 100)
      let gamma = generator.uniform(in: 0.1...0.5)
      let ratio = units[0].runningCost / units[0].cost
      let prices = try #require(curve.prices(at: gamma, ratios: ratio...ratio))
      var priced = SlicedDemand(
        CapacityDemand(scale: scale, utility: program.utilityCurve, saturation: 400),
        units: units.map { $0.scaled(by: gamma) })
      let exact = priced.localSums(at: prices.keys).map { Double($0) }
      // The price comes about by a few roundings.
      try require(
        prices.keys == prices.keys.sorted() && prices.keys.count == keys.count
          && zip(prices.demands, exact).allSatisfy { abs($0 - $1) <= 1e-12 * exact[0] },
        "\(prices.demands) instead of \(exact)")
      try require(
        curve.prices(at: gamma, ratios: ratio...20 * ratio) == nil, "ratios of any kind are taken")
    }
  }

  @Test("What a rank proposes is where its own demand meets its part, in columns and unit by unit")
  func localCrossing() throws {
    try forEachCase(seed: 92, cases: 60) { generator, number in
      var program = CapacityProgram(budget: 300)
      program.spend = .all
      let units = capped(&generator, program, count: 150, worthless: number % 3 == 0 ? 0.5 : 0)
      let scale = FixedPointScale(largest: 2 * program.budget, terms: units.count)
      let gamma = generator.uniform(in: 0.05...2)
      let demand = PriceableCapacity(
        units: units, curve: program.utilityCurve, saturation: 600, scale: scale)
      guard case .columns(let columns, let offset, let saturation, let cutter) = demand else {
        preconditionFailure("the logarithm has columns")
      }
      let formula = CapacityFormula(
        offset: offset, saturation: saturation, searched: .price(gamma: gamma))
      let fast = ColumnDemand(formula, cutter: cutter, sign: 1, columns: columns)
      var plain = SlicedDemand(
        CapacityDemand(scale: scale, utility: program.utilityCurve, saturation: saturation),
        units: units.map { $0.scaled(by: gamma) })
      let ends = [OrderedKey.key(of: -10), OrderedKey.key(of: 1e6)]
      let sums = plain.localSums(at: ends)
      let target = sums[1] + (sums[0] - sums[1]) / Int128(generator.integer(in: 2...9))
      let crossing = LocalCrossing(
        lower: MeasuredPoint(key: ends[0], demand: sums[0]),
        upper: MeasuredPoint(key: ends[1], demand: sums[1]), target: target)
      let key = try #require(crossing.keys(of: fast).keys.first)
      let around = plain.localSums(at: [key - 1, key])
      try require(around[0] > target && around[1] <= target, "\(around) around \(target)")
      try require(crossing.keys(of: plain).keys == [key], "columns propose another key")
    }
  }

  @Test("A guess is tried between its neighbours and the multiples of its reach")
  func trialsAroundGuess() throws {
    try forEachCase(seed: 93, cases: 300) { generator, _ in
      let lower = Int64.random(in: -(1 << 62)...1 << 61, using: &generator)
      let upper =
        lower + 2 + Int64.random(in: 0...1 << generator.integer(in: 1...61), using: &generator)
      let placement = TrialPlacement(between: lower, and: upper)
      let center = Int64.random(in: lower + 1...upper, using: &generator)
      let reach = generator.uniform(in: 0...1) * generator.spread(18)
      let count = generator.integer(in: 3...255)
      let keys = placement.around(
        CrossingGuess(key: center, reach: reach), count: count,
        isTrusted: generator.uniform() < 0.5)
      try require(
        !keys.isEmpty && keys.count <= count + 3
          && keys.allSatisfy { lower < $0 && $0 < upper }
          && zip(keys, keys.dropFirst()).allSatisfy(<),
        "\(keys) in \(lower)...\(upper)")
      try require(center == upper || keys.contains(center), "\(center) is not in \(keys)")
    }
  }

  /// Units at γ = 1, all of one a/c, with upper bounds.
  private func capped(
    _ generator: inout SeededGenerator, _ program: CapacityProgram, count: Int,
    worthless: Double = 0
  ) -> [PricedCapacity] {
    (0..<count).map { index in
      PricedCapacity(
        CapacityUnit(
          index: index,
          quality: generator.uniform() < worthless
            ? 0 : generator.logNormal(location: 1.4, scale: 2),
          cost: generator.uniform(in: 0.5...2), lower: 0,
          upper: generator.uniform(in: 0...8).rounded(.up)), program: program, gamma: 1)
    }
  }
}
