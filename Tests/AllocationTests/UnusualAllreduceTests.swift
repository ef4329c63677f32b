import Collectives
import TestSupport
import Testing

@testable import Allocation

@Suite("Allreduces of unusual programs")
struct UnusualAllreduceTests {
  @Test(
    "Jumps with running costs that are not in proportion to costs take eight allreduces",
    arguments: [1, 2, 3])
  func fewAllreducesAtJumpsPerSlot(ranks: Int) throws {
    for count in [400, 3000, 60_000] {
      try forEachCase(seed: 90, cases: count > 10_000 ? 1 : 2) { generator, _ in
        var program = CapacityProgram(budget: 2 * Double(count))
        (program.spend, program.alphaPer) = (.all, .slot)
        let units = (0..<count).map { index in
          CapacityUnit(
            index: index,
            quality: generator.uniform() < 0.5 ? 0 : generator.logNormal(location: 1.4, scale: 2),
            cost: generator.uniform(in: 0.5...2), lower: 0,
            upper: generator.uniform(in: 0...8).rounded(.up))
        }
        let calls = allreduces(program, units, ranks: ranks)
        try require(calls.allSatisfy { $0 <= 8 }, "\(calls) allreduces for \(count) units")
      }
    }
  }

  @Test("Unusual programs with an automatic γ take eight allreduces", arguments: [1, 2, 7])
  func fewAllreducesOfUnusualPrograms(ranks: Int) throws {
    // Qualities over twelve decades, costs over six, a thousandth of the units a thousand times as large as others,
    // equal qualities, almost no running costs, a budget near the sum of the caps, and a hundredth of a unit each.
    let kinds = ["qualities", "costs", "heavy", "equal", "free", "rich", "poor"]
    for count in [300, 3000] {
      try forEachCase(seed: 97, cases: kinds.count) { generator, number in
        let kind = kinds[number]
        var program = CapacityProgram(budget: (kind == "poor" ? 0.01 : 2) * Double(count))
        (program.spend, program.alphaPer) = (.all, .slot)
        if kind == "free" { program.alpha = 1e-6 }
        let units = (0..<count).map { index in
          let size = kind == "heavy" && generator.uniform() < 1e-3 ? 1000.0 : 1
          let quality =
            kind == "equal"
            ? 1
            : kind == "qualities"
              ? generator.spread(6) : generator.logNormal(location: 1.4, scale: 2)
          return CapacityUnit(
            index: index, quality: generator.uniform() < 0.5 ? 0 : size * quality,
            cost: size * (kind == "costs" ? generator.spread(3) : generator.uniform(in: 0.5...2)),
            lower: 0, upper: generator.uniform(in: 0...8).rounded(.up))
        }
        if kind == "rich" { program.budget = 0.97 * units.reduce(0) { $0 + $1.cost * $1.upper } }
        let calls = allreduces(program, units, ranks: ranks)
        try require(calls.allSatisfy { $0 <= 8 }, "\(calls) allreduces for \(count) units, \(kind)")
      }
    }
  }

  @Test(
    "Budgets that one unit takes, and flights of jumps, take eight allreduces",
    arguments: [1, 2, 3])
  func fewAllreducesOfFewTakers(ranks: Int) throws {
    for (kind, count) in [("crumb", 3000), ("crumb", 30_000), ("flight", 3000), ("flight", 60_000)]
    {
      try forEachCase(seed: 101, cases: count > 10_000 ? 1 : 3) { generator, number in
        var program = CapacityProgram(budget: (kind == "crumb" ? 1e-6 : 2) * Double(count))
        program.alphaPer = .slot
        if kind == "flight" { program.spend = .all }
        if number == 1 { program.gamma = .fixed(1) }
        let units = (0..<count).map { index in
          let isJump = kind == "flight" && generator.uniform() < 0.8
          return CapacityUnit(
            index: index, quality: isJump ? 0 : generator.logNormal(location: 1.4, scale: 1),
            cost: generator.uniform(in: 0.5...2), lower: 0,
            upper: kind == "flight" ? generator.uniform(in: 0...8).rounded(.up) : .infinity)
        }
        let calls = allreduces(program, units, ranks: ranks)
        try require(calls.allSatisfy { $0 <= 8 }, "\(calls) allreduces for \(count) units, \(kind)")
      }
    }
  }

  @Test("Powers, searched unit by unit, take the price along with γ, too", arguments: [1, 2])
  func fewAllreducesOfPowers(ranks: Int) throws {
    try forEachCase(seed: 98, cases: 6) { generator, number in
      // Of more than 1024 units per rank a sample is asked first.
      let count = number < 4 ? 400 : 3000
      let program = CapacityProgram.powers(
        alphaPer: number.isMultiple(of: 2) ? .slot : .cost, count: count)
      let units = (0..<count).map { index in
        CapacityUnit(
          index: index, quality: generator.logNormal(location: 1.4, scale: 1),
          cost: generator.uniform(in: 0.5...2), lower: 0,
          upper: generator.uniform() < 0.3 ? generator.uniform(in: 0...8) : .infinity)
      }
      let rounds = ThreadedCollective.run(ranks: ranks) { world in
        var search = PriceSearch(method: .accelerated)
        do throws(AllocationError) {
          _ = try program.solve(
            slice(units, rank: world.rank, of: ranks), totalUnits: units.count,
            wholeNumbers: false, search: &search, over: world)
        } catch { preconditionFailure("\(error)") }
        return search.stages.filter { [.gamma, .price].contains($0.purpose) }
          .reduce(1) { $0 + $1.rounds }
      }
      try require(
        rounds.allSatisfy { $0 <= (count > 400 ? 7 : 6) }, "\(rounds) allreduces for \(count) units"
      )
    }
  }
}

extension CapacityProgram {
  /// Of two per unit.
  fileprivate static func powers(alphaPer: AlphaPer, count: Int) -> CapacityProgram {
    var program = CapacityProgram(budget: 2 * Double(count))
    (program.utility, program.alphaPer) = (.power(0.5), alphaPer)
    return program
  }
}
