import Allocation
import Collectives
import Foundation
import TestSupport
import Testing

@Suite("What moves when a budget or a bound does")
struct SensitivityLawTests {
  private func solved(
    _ program: CapacityProgram, _ units: [CapacityUnit]
  ) throws(AllocationError) -> CapacitySolution {
    var search = PriceSearch(method: .accelerated)
    return try program.solve(
      units, totalUnits: units.count, wholeNumbers: false, search: &search, over: SoloCollective())
  }

  private func solved(
    _ program: PruningProgram, _ units: [PruningUnit]
  ) throws(AllocationError) -> PruningSolution {
    var search = PriceSearch(method: .accelerated)
    return try program.solve(
      units, totalUnits: units.count, search: &search, over: SoloCollective())
  }

  @Test("dx/dB is the change of the answer for a small change of the budget, and Σ c dx/dB = 1")
  func budgetOfCapacity() throws {
    var compared = 0
    try forEachCase(seed: 51, cases: 100) { generator, _ in
      var (program, units) = generator.capacityProgram(
        units: generator.integer(in: 2...12), equalCosts: false)
      program.spend = .asPriced
      let before = try solved(program, units)
      guard before.price > 0 else {
        try require(before.budgetSensitivities.allSatisfy { $0 == 0 }, "a slack budget moves units")
        return
      }
      guard before.budgetSensitivities.contains(where: { $0 > 0 }) else { return }
      let sum = zip(units, before.budgetSensitivities).reduce(0) { $0 + $1.0.cost * $1.1 }
      try require(abs(sum - 1) < 1e-12, "Σ c dx/dB = \(sum)")
      let step = 1e-6 * program.budget
      program.gamma = .fixed(before.gamma)
      program.budget += step
      let after = try solved(program, units)
      for position in units.indices {
        // A unit that met or left a bound on the way has no derivative there.
        let moved = (after.continuous[position] - before.continuous[position]) / step
        let atBound = { (x: Double) in x == units[position].lower || x == units[position].upper }
        guard atBound(after.continuous[position]) == atBound(before.continuous[position]) else {
          return
        }
        let expected = before.budgetSensitivities[position]
        try require(
          abs(moved - expected) <= 1e-4 * max(abs(expected), 1e-3), "\(moved), said \(expected)")
        compared += 1
      }
    }
    #expect(compared > 200)
  }

  @Test("A bound's worth is what the objective gains when the bound gives way a little")
  func boundsOfCapacity() throws {
    var compared = 0
    try forEachCase(seed: 52, cases: 150) { generator, _ in
      var (program, units) = generator.capacityProgram(
        units: generator.integer(in: 2...8), equalCosts: false)
      program.spend = .asPriced
      let before = try solved(program, units)
      program.gamma = .fixed(before.gamma)
      for position in units.indices where before.boundWorths[position] > 1e-3 {
        let unit = units[position]
        guard unit.lower < unit.upper else { continue }
        let isLower = before.continuous[position] == unit.lower
        let step = 1e-6 * max(unit.lower, 1)
        guard !isLower || unit.lower >= step else { continue }
        var looser = units
        looser[position] = CapacityUnit(
          index: unit.index, quality: unit.quality, cost: unit.cost,
          lower: unit.lower - (isLower ? step : 0), upper: unit.upper + (isLower ? 0 : step))
        let after = try solved(program, looser)
        let gained = (before.certificate.primal - after.certificate.primal) / step
        let expected = before.boundWorths[position]
        try require(
          abs(gained - expected) <= 1e-3 * expected + 1e-4, "\(gained), said \(expected)")
        compared += 1
      }
    }
    #expect(compared > 50)
  }

  @Test("dρ/dS and the bounds of pruning, for both damages", arguments: PruningProgram.Psi.allCases)
  func pruning(psi: PruningProgram.Psi) throws {
    var compared = 0
    try forEachCase(seed: 53, cases: 100) { generator, _ in
      var (program, units) = generator.pruningProgram(
        units: generator.integer(in: 2...10), weights: 10_000_000...20_000_000)
      program.psi = psi
      let before = try solved(program, units)
      let total = Double(before.totalWeights)
      let step = (1e-5 * total).rounded()
      program.sparsity = (Double(before.target) + step) / total
      guard let after = try? solved(program, units) else { return }
      let moves = Double(after.target - before.target)
      for position in units.indices {
        let bounds = [units[position].lower, units[position].upper]
        let isBound = bounds.contains(before.continuous[position])
        guard isBound == bounds.contains(after.continuous[position]) else { return }
        let moved = (after.continuous[position] - before.continuous[position]) / moves
        let expected = before.budgetSensitivities[position]
        try require(
          abs(moved - expected) <= 1e-2 * abs(expected) + 1e-12, "\(moved), said \(expected)")
        compared += 1
      }
    }
    #expect(compared > 150)
  }

  @Test("The modulus bounds the curvature of every unit from below over all feasible answers")
  func modulus() throws {
    try forEachCase(seed: 54, cases: 60) { generator, _ in
      let (program, units) = generator.capacityProgram(
        units: generator.integer(in: 1...8), equalCosts: false)
      let solution = try solved(program, units)
      let gamma = solution.gamma
      guard let modulus = solution.certificate.modulus else {
        try require(units.allSatisfy { $0.quality == 0 }, "no modulus in spite of a quality")
        return
      }
      let others = units.reduce(0) { $0 + $1.cost * $1.lower }
      for unit in units where unit.quality > 0 {
        let highest = min(unit.upper, unit.lower + max(program.budget - others, 0) / unit.cost)
        let curvature =
          gamma * raised(unit.quality, program.beta)
          / ((program.offset + highest) * (program.offset + highest))
        try require(modulus <= curvature * (1 + 1e-12), "\(modulus) above \(curvature)")
      }
      try require((solution.certificate.conditionNumber ?? 1) >= 1 - 1e-12, "condition below 1")
    }
  }
}
