import Collectives
import TestSupport
import Testing

@testable import Allocation

/// Alone, and counting what it is asked.
private final class CountingCollective: Collective {
  private let solo = SoloCollective()
  private(set) var calls = 0
  var rank: Int { 0 }
  var size: Int { 1 }

  func sum(_ values: inout [Int128]) {
    calls += 1
    solo.sum(&values)
  }
  func maximum(_ values: inout [Double]) {
    calls += 1
    solo.maximum(&values)
  }
  func gather(_ bytes: [UInt8], at root: Int) -> [[UInt8]] {
    calls += 1
    return solo.gather(bytes, at: root)
  }
  func broadcast(_ bytes: [UInt8], from root: Int) -> [UInt8] {
    calls += 1
    return solo.broadcast(bytes, from: root)
  }
  func barrier() { calls += 1 }
}

@Suite("Allreduces of a price")
struct AllreduceCountTests {
  @Test("Every allreduce is counted")
  func countIsHonest() throws {
    try forEachCase(seed: 84, cases: 60) { generator, number in
      let world = CountingCollective()
      var search = PriceSearch(method: .accelerated)
      if number.isMultiple(of: 2) {
        let (program, units) = generator.capacityProgram(units: 20, equalCosts: true)
        _ = try program.solve(
          units, totalUnits: 20, wholeNumbers: false, search: &search, over: world)
      } else {
        let (program, units) = generator.pruningProgram(units: 20, weights: 10...1000)
        _ = try program.solve(units, totalUnits: 20, search: &search, over: world)
      }
      try require(world.calls == search.allreduces, "\(search.allreduces) of \(world.calls)")
    }
  }

  @Test("Ordinary programs are priced in eight allreduces, their checks and γ included")
  func fewAllreduces() throws {
    for count in [1, 10, 100, 1000, 5000] {
      try forEachCase(seed: 85, cases: 2) { generator, number in
        var program = CapacityProgram(budget: 2 * Double(count))
        if count > 1000 || number.isMultiple(of: 2) { program.gamma = .fixed(1) }
        let units = (0..<count).map { index in
          CapacityUnit(
            index: index, quality: generator.logNormal(location: 1.4, scale: 2),
            cost: generator.uniform(in: 0.5...2), lower: 0,
            upper: generator.uniform() < 0.3 ? generator.uniform(in: 0...8) : .infinity)
        }
        var columns = CapacityColumns(program, count: count) { units[$0] }
        let world = CountingCollective()
        var search = PriceSearch(method: .accelerated)
        _ = try columns.price(totalUnits: count, search: &search, over: world)
        try require(world.calls <= 8, "\(world.calls) calls for \(count) units")
      }
    }
  }

  @Test("An automatic γ takes six allreduces with its price", arguments: [1, 2, 7])
  func fewAllreducesOfGamma(ranks: Int) throws {
    for count in [10, 300, 1000, 5000] {
      try forEachCase(seed: 88, cases: 4) { generator, number in
        var program = CapacityProgram(budget: 2 * Double(count))
        // Running costs that are not in proportion to costs: then the price does not just scale with γ.
        if number.isMultiple(of: 2) { program.alphaPer = .slot }
        let units = (0..<count).map { index in
          CapacityUnit(
            index: index, quality: generator.logNormal(location: 1.4, scale: 2),
            cost: generator.uniform(in: 0.5...2), lower: 0,
            upper: generator.uniform() < 0.3 ? generator.uniform(in: 0...8) : .infinity)
        }
        let calls = allreduces(program, units, ranks: ranks)
        try require(calls.allSatisfy { $0 <= 6 }, "\(calls) allreduces for \(count) units")
      }
    }
  }

  @Test(
    "Demands that jump are priced in seven allreduces, γ included", arguments: [1, 2, 7],
    [0.5, 0.8])
  func fewAllreducesAtJumps(ranks: Int, worthless: Double) throws {
    // Many of the units worthless, whole numbers as bounds, all to be spent; costs as they come, of two
    // kinds, and equal, so that many units jump at one price. Where four in five are worthless, the
    // others cannot take what an automatic γ aims at.
    let costs: [@Sendable (inout SeededGenerator) -> Double] = [
      { $0.uniform(in: 0.5...2) }, { $0.uniform() < 0.5 ? 1 : 3 }, { _ in 1 },
    ]
    for count in [10, 400, 3000] {
      for cost in costs.prefix(count > 1000 ? 1 : 3) {
        try forEachCase(seed: 87, cases: 2) { generator, number in
          var program = CapacityProgram(budget: 2 * Double(count))
          program.spend = .all
          let units = (0..<count).map { index in
            CapacityUnit(
              index: index,
              quality: generator.uniform() < worthless
                ? 0 : generator.logNormal(location: 1.4, scale: 2),
              cost: cost(&generator), lower: 0,
              upper: generator.uniform(in: 0...(number == 0 ? 8 : 6)).rounded(.up))
          }
          for gamma in [CapacityProgram.Gamma.fixed(1), .automatic] {
            program.gamma = gamma
            let calls = allreduces(program, units, ranks: ranks)
            try require(
              calls.allSatisfy { $0 <= 7 }, "\(calls) allreduces for \(count) units, \(gamma)")
          }
        }
      }
    }
  }

  @Test("A γ beyond which nobody asks for more is found at once", arguments: [1, 2, 7])
  func fewAllreducesBeyondReach(ranks: Int) throws {
    // Units that can take one per cost at most, of a budget of two.
    for count in [10, 400, 5000] {
      try forEachCase(seed: 89, cases: 3) { generator, _ in
        var program = CapacityProgram(budget: 2 * Double(count))
        program.gamma = .automatic
        let units = (0..<count).map { index in
          CapacityUnit(
            index: index, quality: generator.logNormal(location: 1.4, scale: 2),
            cost: generator.uniform(in: 0.5...2), lower: 0, upper: generator.uniform(in: 0...1))
        }
        // γ, and what is left of the price: at 0 all is within the budget.
        let calls = allreduces(program, units, ranks: ranks)
        try require(calls.allSatisfy { $0 <= 5 }, "\(calls) allreduces for \(count) units")
      }
    }
  }
}
