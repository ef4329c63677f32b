import TestSupport
import Testing

@testable import Allocation

@Suite("Demand by columns")
struct ColumnDemandTests {
  @Test("Capacity: sums of columns have the bits of the plain terms", arguments: [1, 1 << 24])
  func capacitySums(termsOfScale: Int) throws {
    try forEachCase(seed: 71, cases: 40) { generator, _ in
      let problem = generator.wideCapacityProblem(units: generator.blockful())
      let saturation = 2 * problem.program.budget
      let scale = FixedPointScale(
        largest: saturation, terms: max(termsOfScale, problem.units.count))
      let cutter = try #require(LimbCutter(largest: saturation, scale: scale))
      try require(cutter.hasTwoLimbs == (termsOfScale > 1), "the scale has another finest grid")
      let weightless = problem.units.map { PricedCapacity($0, program: problem.program, gamma: 1) }
      let curve = problem.program.utilityCurve
      let gamma = generator.spread(3)
      let price = ColumnDemand(
        CapacityFormula(
          offset: curve.offset, saturation: saturation, searched: .price(gamma: gamma)),
        cutter: cutter, sign: 1, columns: UnitColumns(weightless))
      let plainPrice = SlicedDemand(
        CapacityDemand(scale: scale, utility: curve, saturation: saturation),
        units: weightless.map { $0.scaled(by: gamma) })
      try requireSameSums(price, plainPrice, &generator, from: -OrderedKey.largestFinite)
      let unpriced = ColumnDemand(
        CapacityFormula(offset: curve.offset, saturation: saturation, searched: .gamma),
        cutter: cutter, sign: -1, columns: UnitColumns(weightless), isShared: true)
      let plainUnpriced = SlicedDemand(
        UnpricedDemand(scale: scale, utility: curve, saturation: saturation), units: weightless)
      // An automatic γ needs running costs; without them the plain formula divides by zero.
      guard weightless.allSatisfy({ $0.runningCost > 0 }) else { return }
      try requireSameSums(unpriced, plainUnpriced, &generator, from: 1)
    }
  }

  @Test("Pruning: sums of columns have the bits of the plain terms", arguments: [1, 1 << 24])
  func pruningSums(termsOfScale: Int) throws {
    try forEachCase(seed: 72, cases: 40) { generator, _ in
      var (program, units) = generator.pruningProgram(
        units: generator.blockful(), weights: 1...1_000_000)
      units = units.map { $0.with(quality: $0.quality > 0 ? generator.spread(12) : 0) }
      let total = Double(units.reduce(0) { $0 + $1.weights })
      let scale = FixedPointScale(largest: total, terms: max(termsOfScale, units.count))
      let cutter = try #require(LimbCutter(largest: total, scale: scale))
      let priced = units.map { PricedPruning($0, program: program, totalUnits: units.count) }
      let plain = SlicedDemand(PruningDemand(scale: scale, psi: program.psi), units: priced)
      let columns = UnitColumns(priced)
      let lowest = OrderedKey.key(of: -max(abs(program.depthPrior), .leastNonzeroMagnitude)) - 1
      switch program.psi {
      case .quadratic:
        try requireSameSums(
          ColumnDemand(QuadraticFormula(), cutter: cutter, sign: -1, columns: columns), plain,
          &generator, from: lowest)
      case .log:
        try requireSameSums(
          ColumnDemand(LogFormula(), cutter: cutter, sign: -1, columns: columns), plain,
          &generator, from: lowest)
      }
    }
  }

  @Test("Units that are marked leave the columns, and only they, in place or into a copy")
  func compaction() throws {
    try forEachCase(seed: 73, cases: 200) { generator, number in
      let count = generator.integer(in: 1...90)
      let units = (0..<count).map { index in
        PricedCapacity(
          CapacityUnit(
            index: index, quality: Double(index), cost: Double(index + 1), lower: 0,
            upper: Double(2 * index)),
          program: CapacityProgram(budget: 1), gamma: 1)
      }
      var columns = UnitColumns(units)
      let before = columns
      let share = generator.uniform()
      let stays = (0..<count).map { _ in generator.uniform() < share }
      var marks = [UInt8](repeating: 0xF, count: columns.groups)
      for (place, stays) in stays.enumerated() where stays { marks[place / 4] ^= 1 << (place % 4) }
      let left = stays.filter(\.self).count
      columns.remove(marked: marks, leaving: left, isShared: number.isMultiple(of: 2))
      try require(columns.count == left && columns.groups == (left + 3) / 4, "\(columns.count)")
      let expected = (0..<count).filter { stays[$0] }
      for (place, index) in expected.enumerated() {
        let group = columns[place / 4]
        try require(
          group.first[place % 4] == Double(index) && group.third[place % 4] == Double(index + 1)
            && group.upper[place % 4] == Double(2 * index), "unit \(index) is not at \(place)")
      }
      try require(before.count == count && before.first[0][0] == 0, "the copy has changed")
    }
  }

  @Test("A sample holds the foremost units as they are, once")
  func foremostOfSample() throws {
    try forEachCase(seed: 43, cases: 20) { generator, _ in
      let program = CapacityProgram(budget: 1)
      var foremost = ForemostUnits(most: 8)
      let units = (0..<2000).map { index in
        let unit = CapacityUnit(
          index: index, quality: generator.logNormal(location: 0, scale: 1),
          cost: generator.uniform(in: 0.5...2), lower: 0, upper: 8)
        return PricedCapacity(unit, program: program, gamma: 1)
      }
      for unit in units { foremost.include(unit, least: 1) }
      func best(_ worth: (PricedCapacity) -> Double) -> Set<Int> {
        Set(units.indices.sorted { worth(units[$0]) > worth(units[$1]) }.prefix(8))
      }
      let expected = best { $0.weight / $0.runningCost }.union(best { $0.weight / $0.cost })
      try require(foremost.places == expected.sorted(), "\(foremost.places), not \(expected)")

      var columns = UnitColumns(units)
      columns.foremost = foremost.places
      let sample = columns.sample(every: 10) { group, factor in
        var group = group
        group.third *= factor
        return group
      }
      for place in foremost.places {
        let unit = units[place]
        let found = (0..<sample.count).filter {
          let group = sample[$0 / 4]
          return group.first[$0 % 4] == unit.weight && group.third[$0 % 4] == unit.cost
        }
        try require(found.count == 1, "unit \(place) is \(found.count) times in the sample")
      }
      // Drawn or not, it is not there with another size.
      let weights = Set(foremost.places.map { units[$0].weight })
      let all = (0..<sample.count).filter { weights.contains(sample[$0 / 4].first[$0 % 4]) }
      try require(all.count == foremost.places.count, "a foremost unit is drawn as well")
    }
  }

  @Test(
    "Asked one by one, a sample holds the foremost as they are, too, and the others by their number"
  )
  func foremostOfPlainSample() throws {
    try forEachCase(seed: 44, cases: 20) { generator, _ in
      let program = CapacityProgram(budget: 4000)
      let units = (0..<2000).map { index in
        let unit = CapacityUnit(
          index: index, quality: 1 + generator.uniform(), cost: 1, lower: 0, upper: 8)
        return PricedCapacity(unit, program: program, gamma: 1)
      }
      let scale = FixedPointScale(largest: 8000, terms: units.count)
      let curve = CapacityDemand(scale: scale, utility: program.utilityCurve, saturation: 8000)
      let best = Array(units.indices.sorted { units[$0].weight > units[$1].weight }.prefix(8))
      var all = SlicedDemand(curve, units: units, foremost: best)
      var sample = all.sample(every: 10)
      // Between the eighth unit's first price and the ninth's only the foremost ask.
      let ninth = units.map(\.weight).sorted(by: >)[8]
      let key = OrderedKey.key(of: ninth - units[0].runningCost)
      let exact = all.localSums(at: [key])
      try require(exact[0] > 0, "nobody asks")
      try require(sample.localSums(at: [key]) == exact, "not the foremost's own demand")
      let (whole, sampled) = (all.localSums(at: [0])[0], sample.localSums(at: [0])[0])
      try require(
        abs(Double(sampled) / Double(whole) - 1) < 0.15, "\(sampled) stands for \(whole)")
    }
  }

  @Test("A sample asks for about as much as all units, whichever few of them are large")
  func samples() throws {
    try forEachCase(seed: 74, cases: 20) { generator, _ in
      // Most of the weight is in a few units.
      let units = (0..<20_000).map { index in
        PricedCapacity(
          CapacityUnit(
            index: index, quality: generator.logNormal(scale: 2), cost: 1, lower: 0,
            upper: .infinity),
          program: CapacityProgram(budget: 1), gamma: 1)
      }
      let columns = UnitColumns(units)
      let sample = columns.sample(every: 40) { group, factor in
        LaneGroup(
          first: factor * group.first, second: group.second, third: group.third,
          lower: group.lower, upper: group.upper)
      }
      func total(_ columns: UnitColumns) -> Double {
        columns.first.reduce(0) { $0 + $1.sum() }
      }
      try require((490...510).contains(sample.count), "\(sample.count) of 500 units")
      try require(
        abs(total(sample) / total(columns) - 1) < 0.2, "\(total(sample)) for \(total(columns))")
    }
  }

  /// One key, two (which are marked and narrowed to) and many.
  private func requireSameSums<Formula, Curve>(
    _ columns: ColumnDemand<Formula>, _ plain: SlicedDemand<Curve>,
    _ generator: inout SeededGenerator, from lowest: Int64
  ) throws {
    var (columns, plain) = (columns, plain)
    func key() -> Int64 {
      switch generator.integer(in: 0...9) {
      case 0: return max(lowest, 0)
      case 1: return OrderedKey.largestFinite
      case 2: return lowest
      case 3: return generator.integer(in: Int(lowest)...Int(OrderedKey.largestFinite)).asKey
      default: return max(lowest, OrderedKey.key(of: generator.spread(12)))
      }
    }
    for count in [1, 2, 3, 30, 2] {
      let keys = Set((0..<count).map { _ in key() }).sorted()
      let (fast, slow) = (columns.localSums(at: keys), plain.localSums(at: keys))
      try require(fast == slow, "\(keys): \(fast) instead of \(slow)")
      guard keys.count == 2 else { continue }
      columns.narrow(to: keys[0]...keys[1])
      let between = (0..<5).map { _ in
        min(max(key(), keys[0]), keys[1])
      }
      let inside = Set(between).sorted()
      let (narrowed, all) = (columns.localSums(at: inside), plain.localSums(at: inside))
      try require(narrowed == all, "narrowed, \(inside): \(narrowed) instead of \(all)")
      return
    }
  }
}

extension Int {
  fileprivate var asKey: Int64 { Int64(self) }
}

/// A capacity program with its units.
struct WideCapacity {
  var program: CapacityProgram
  var units: [CapacityUnit]
}

extension SeededGenerator {
  /// Few units, or a little more than a block of columns.
  mutating func blockful() -> Int {
    uniform() < 0.1 ? integer(in: 1020...1100) : integer(in: 1...60)
  }

  /// Qualities and costs over many decades, zeros, equal ones, bounds of all kinds; the lower bounds fit
  /// the budget.
  mutating func wideCapacityProblem(units count: Int) -> WideCapacity {
    let decades = [0.0, 1, 8, 20][integer(in: 0...3)]
    let hasBounds = uniform() < 0.7
    let units = (0..<count).map { index in
      let lower = hasBounds && uniform() < 0.3 ? uniform(in: 0...3) : 0
      let kind = hasBounds ? uniform() : 1
      return CapacityUnit(
        index: index, quality: uniform() < 0.1 ? 0 : spread(decades),
        cost: uniform() < 0.5 ? 1 : spread(min(decades, 3)), lower: lower,
        upper: kind < 0.2 ? lower : kind < 0.5 ? lower + spread(2) : .infinity,
        alpha: uniform() < 0.1 ? uniform(in: 0.01...3) : nil,
        gammaFactor: uniform() < 0.1 ? spread(2) : 1)
    }
    let floor = units.reduce(0) { $0 + $1.cost * $1.lower }
    var program = CapacityProgram(budget: floor * 1.001 + Double(count) * spread(2))
    program.alpha = uniform() < 0.2 ? 0 : spread(2)
    program.alphaPer = uniform() < 0.5 ? .cost : .slot
    program.beta = [0.5, 1, 2][integer(in: 0...2)]
    program.offset = spread(2)
    program.gamma = .fixed(spread(2))
    program.spend = uniform() < 0.5 ? .asPriced : .all
    return WideCapacity(program: program, units: units)
  }
}
