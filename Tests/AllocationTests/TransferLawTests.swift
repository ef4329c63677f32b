import Allocation
import Collectives
import Foundation
import TestSupport
import Testing

@Suite("Transfer regret")
struct TransferLawTests {
  private static let utilities: [CapacityProgram.Utility] = [
    .log, .power(1e-6), .power(0.3), .power(0.7), .power(0.95),
  ]
  private typealias Judged = (regret: TransferRegret, terms: [TransferTerm])

  /// On several ranks of one process, the terms put back into unit order.
  private func judged(
    ranks: Int, count: Int,
    _ judge:
      @escaping @Sendable (Int, inout PriceSearch, borrowing ThreadedCollective)
      throws(AllocationError)
      -> TransferRegret
  ) throws -> Judged {
    let results = ThreadedCollective.run(ranks: ranks) { world in
      Result { () throws(AllocationError) in
        var search = PriceSearch(method: .accelerated)
        return try judge(world.rank, &search, world)
      }
    }
    let parts = try results.map { try $0.get() }
    return (parts[0], merge(parts.map(\.terms), count: count))
  }

  private func judged(
    _ program: CapacityProgram, _ source: [CapacityUnit], _ target: [CapacityUnit], ranks: Int = 1
  ) throws -> Judged {
    try judged(ranks: ranks, count: source.count) {
      rank, search, world throws(AllocationError) in
      try program.transferRegret(
        from: slice(source, rank: rank, of: ranks), to: slice(target, rank: rank, of: ranks),
        totalUnits: source.count, search: &search, over: world
      ).regret
    }
  }

  private func judged(
    _ program: PruningProgram, _ source: [PruningUnit], _ target: [PruningUnit], ranks: Int = 1
  ) throws -> Judged {
    try judged(ranks: ranks, count: source.count) {
      rank, search, world throws(AllocationError) in
      try program.transferRegret(
        from: slice(source, rank: rank, of: ranks), to: slice(target, rank: rank, of: ranks),
        totalUnits: source.count, search: &search, over: world
      ).regret
    }
  }

  /// The chain of bounds, to rounding of the objective's size.
  private func requireChain(_ regret: TransferRegret, rounding: Double) throws {
    let chain = [
      0, regret.regret, regret.gap, regret.certificate, regret.unboundedCertificate, regret.bound,
    ]
    for (smaller, larger) in zip(chain, chain.dropFirst()) {
      try require(
        smaller <= larger + rounding + 1e-9 * abs(larger), "not a chain: \(chain), \(regret)")
    }
  }

  private func drifted(_ quality: Double, by size: Double, _ generator: inout SeededGenerator)
    -> Double
  {
    if generator.uniform() < 0.1 { return 0 }
    if generator.uniform() < 0.1 { return quality }
    return max(quality + size * generator.uniform(in: -1...1) * max(quality, 0.1), 0)
  }

  @Test(
    "Capacity: regret ≤ gap ≤ certificate ≤ Σ d²/2m ≤ L²δ²/2μ, bounds and zero qualities included",
    arguments: utilities)
  func capacityChain(utility: CapacityProgram.Utility) throws {
    try forEachCase(seed: 31, cases: 120) { generator, number in
      var (program, source) = generator.capacityProgram(
        units: generator.integer(in: 1...12), equalCosts: number.isMultiple(of: 2))
      program.utility = utility
      let size: Double = [0.01, 0.3, 3][generator.integer(in: 0...2)]
      let target = source.map {
        $0.with(quality: drifted($0.quality, by: size, &generator))
      }
      let (regret, terms) = try judged(program, source, target)
      let gamma = try SolvedCapacity(program, source).gamma
      let objective = Objective(program, target, gamma: Double(bitPattern: gamma))
      let (made, best) = (terms.map(\.source), terms.map(\.target))
      let size2 = 1e-12 * (abs(objective.value(made)) + abs(objective.value(best)) + program.budget)
      try requireChain(regret, rounding: size2)
      let expected = objective.value(made) - objective.value(best)
      try require(
        abs(regret.regret - max(expected, 0)) <= size2,
        "regret \(regret.regret), by hand \(expected)")
      let delta = exactSum(terms.map { $0.drift * $0.drift }).squareRoot()
      try require(abs(delta - regret.delta) <= 1e-12 * delta, "delta \(regret.delta) for \(delta)")
    }
  }

  @Test("Pruning: the same chain for both damages", arguments: PruningProgram.Psi.allCases)
  func pruningChain(psi: PruningProgram.Psi) throws {
    try forEachCase(seed: 32, cases: 150) { generator, _ in
      var (program, source) = generator.pruningProgram(
        units: generator.integer(in: 1...12), weights: 5...500)
      program.psi = psi
      if psi == .log {
        source = source.map {
          PruningUnit(
            index: $0.index, quality: max($0.quality, 0.01), weights: $0.weights, lower: $0.lower,
            upper: $0.upper)
        }
      }
      let size: Double = [0.01, 0.3, 3][generator.integer(in: 0...2)]
      let target = source.map {
        PruningUnit(
          index: $0.index, quality: drifted($0.quality, by: size, &generator),
          weights: $0.weights, lower: $0.lower, upper: $0.upper)
      }
      let (regret, terms) = try judged(program, source, target)
      func value(_ shares: [Double]) -> Double {
        exactSum(
          zip(target, shares).map { unit, share in
            let w = program.damage == .perWeight ? Double(unit.weights) : 1
            let r = program.eta * raised(unit.quality, program.kappa) * w
            let depth =
              target.count > 1
              ? (Double(target.count - 1) / 2 - Double(unit.index)) / Double(target.count - 1) : 0
            let reward = program.depthPrior * depth * Double(unit.weights) * share
            guard r > 0 else { return -reward }
            return r * (psi == .quadratic ? share * share : -log1p(-share)) - reward
          })
      }
      let (made, best) = (terms.map(\.source), terms.map(\.target))
      let size2 = 1e-11 * (abs(value(made)) + abs(value(best)) + 1)
      try requireChain(regret, rounding: size2)
      let expected = value(made) - value(best)
      try require(
        abs(regret.regret - max(expected, 0)) <= size2 + 1e-9 * abs(expected),
        "regret \(regret.regret), by hand \(expected)")
    }
  }

  @Test(
    "Ranks do not change a bit", arguments: [CapacityProgram.Utility.log, .power(0.7)])
  func ranksDoNotMatter(utility: CapacityProgram.Utility) throws {
    try forEachCase(seed: 33, cases: 20) { generator, _ in
      var (program, source) = generator.capacityProgram(units: 15, equalCosts: false)
      program.utility = utility
      let target = source.map {
        $0.with(quality: drifted($0.quality, by: 0.5, &generator))
      }
      let alone = try judged(program, source, target)
      for ranks in [2, 3, 7] {
        let together = try judged(program, source, target, ranks: ranks)
        try require(
          together.terms == alone.terms && together.regret.regret == alone.regret.regret
            && together.regret.certificate == alone.regret.certificate
            && together.regret.gap == alone.regret.gap
            && together.regret.bound == alone.regret.bound, "\(ranks) ranks differ")
      }
    }
  }

  @Test("The regret of a small drift falls with its square", arguments: utilities.dropLast())
  func quadraticLaw(utility: CapacityProgram.Utility) throws {
    var judgedCases = 0
    try forEachCase(seed: 34, cases: 20) { generator, _ in
      var (program, source) = generator.capacityProgram(units: 12, equalCosts: false)
      program.utility = utility
      program.spend = .asPriced
      source = source.map {
        $0.with(quality: $0.quality + 0.5, lower: 0, upper: .infinity)
      }
      let directions = source.map { _ in generator.uniform(in: -1...1) }
      // Where no unit meets or leaves its bound, the smaller drift has 1/100 of the regret.
      let judgements = try [1e-4, 1e-5].map { size in
        let target = zip(source, directions).map {
          $0.with(quality: $0.quality * (1 + size * $1), lower: 0, upper: .infinity)
        }
        return try judged(program, source, target)
      }
      let stays = judgements.allSatisfy { judged in
        judged.terms.allSatisfy { ($0.source > 0) == ($0.target > 0) }
      }
      let regrets = judgements.map(\.regret)
      // Where one unit takes all that the budget leaves, a small drift changes nothing: what is left
      // is rounding of the spending.
      guard stays, regrets[0].regret > 1e-12 * program.budget else { return }
      judgedCases += 1
      let slope = log10(regrets[0].regret / regrets[1].regret)
      try require(abs(slope - 2) < 0.05, "slope \(slope): \(regrets.map(\.regret))")
    }
    #expect(judgedCases >= 10)
  }

  @Test("A utility of a tiny power is judged as the logarithm that it tends to")
  func limit() throws {
    try forEachCase(seed: 35, cases: 40) { generator, _ in
      var (program, source) = generator.capacityProgram(units: 6, equalCosts: false)
      program.gamma = .fixed(generator.uniform(in: 0.5...4))
      let target = source.map { $0.with(quality: drifted($0.quality, by: 0.5, &generator)) }
      let regrets = try [CapacityProgram.Utility.log, .power(1e-6)].map { utility in
        program.utility = utility
        return try judged(program, source, target).regret
      }
      // θ log(s + x) is a share of the slopes that the power adds; 1e-4 covers it many times.
      for field in [\TransferRegret.modulus, \.lipschitz, \.gap, \.certificate, \.bound] {
        let (log, power) = (regrets[0][keyPath: field], regrets[1][keyPath: field])
        try require(
          abs(log - power) <= 1e-3 * max(abs(log), 1e-3 * program.budget),
          "\(log) and \(power)")
      }
    }
  }

  @Test("A plan that removes a unit the target needs has no finite regret, and says so")
  func infinite() throws {
    var program = PruningProgram(sparsity: 0.5)
    program.psi = .log
    let source = [0.0, 1].enumerated().map {
      PruningUnit(index: $0, quality: $1, weights: 10, lower: 0, upper: 1)
    }
    let target = [1.0, 1].enumerated().map {
      PruningUnit(index: $0, quality: $1, weights: 10, lower: 0, upper: 1)
    }
    #expect(throws: AllocationError.self) { try judged(program, source, target) }
  }
}
