import Allocation
import Collectives
import TestSupport
import Testing

@Suite("Solving in one process")
struct SoloSolvingTests {
  @Test("The short forms have the bits of several ranks")
  func sameBits() throws {
    try forEachCase(seed: 91, cases: 40) { generator, number in
      let ranks = [1, 2, 3, 7][number % 4]
      let count = generator.integer(in: 1...30)
      let (capacity, slots) = generator.capacityProgram(units: count, equalCosts: true)
      let whole = number.isMultiple(of: 2)
      let sliced = try SolvedCapacity(capacity, slots, ranks: ranks, integers: whole)
      let alone = try capacity.solve(slots, wholeNumbers: whole)
      try require(alone.price.bitPattern == sliced.price, "price of \(capacity)")
      try require(alone.continuous.map(\.bitPattern) == sliced.capacities, "\(capacity)")
      try require(alone.integer?.values == sliced.integers, "whole numbers of \(capacity)")
      try require(alone.certificate == sliced.certificate, "certificate of \(capacity)")

      let (pruning, weights) = generator.pruningProgram(units: count, weights: 5...90)
      let removed = try pruning.solve(weights)
      let cut = try SolvedPruning(pruning, weights, ranks: ranks)
      try require(removed.mu.bitPattern == cut.mu, "μ of \(pruning)")
      try require(removed.integers == cut.integers, "\(pruning)")
      try require(removed.certificate == cut.certificate, "certificate of \(pruning)")
    }
  }

  @Test("Qualities and ranks by spectra, too; and refusals are those of the long forms")
  func others() throws {
    let rule = QualityRule(normalization: .mean)
    let gains = [4.0, 0, 1, 3].map { GainedUnit(gain: $0, parameters: 1) }
    #expect(try rule.qualities(of: gains) == [2, 0, 0.5, 1.5])
    let program = SpectrumProgram(budget: 3)
    let units = [[4.0, 1], [3, 2.5]].enumerated().map { index, decreases in
      SpectrumUnit(index: index, decreases: decreases, cost: 1, lower: 0, upper: 2)
    }
    #expect(try program.solve(units).ranks == [1, 2])
    #expect(throws: AllocationError.self) { try CapacityProgram(budget: -1).solve([]) }
  }
}
