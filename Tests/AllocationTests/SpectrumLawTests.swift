import Allocation
import Collectives
import TestSupport
import Testing

@Suite("Spectrum program")
struct SpectrumLawTests {
  @Test("Ranks and search methods do not change a bit of the answer")
  func ranksDoNotMatter() throws {
    try forEachCase(seed: 61, cases: 40) { generator, number in
      let (program, units) = generator.spectrumProgram(
        units: generator.integer(in: 1...40), equalCosts: number.isMultiple(of: 2))
      let reference = try SolvedSpectrum(program, units)
      for method in PriceSearch.Method.allCases {
        for ranks in [1, 2, 3, 4, 7] {
          let other = try SolvedSpectrum(program, units, on: ranks, method: method)
          try require(other == reference, "\(method) on \(ranks) ranks differs for \(program)")
        }
      }
    }
  }

  @Test("With equal costs no other ranks take more loss away")
  func equalCostsAreOptimal() throws {
    try forEachCase(seed: 62, cases: 150) { generator, _ in
      let (program, units) = generator.spectrumProgram(
        units: generator.integer(in: 1...5), equalCosts: true, largestRank: 6)
      let solved = try SolvedSpectrum(program, units)
      let objective = SpectrumObjective(program: program, units: units)
      let (found, best) = (objective.decrease(solved.ranks), objective.bestByEnumeration())
      try require(objective.cost(solved.ranks) <= program.budget, "overspent: \(solved.ranks)")
      try require(found >= best * (1 - 1e-14), "\(solved.ranks) takes \(found), best is \(best)")
      try require(
        zip(units, solved.ranks).allSatisfy { objective.allowed($0).contains($1) },
        "\(solved.ranks) breaks a bound or a multiple")
    }
  }

  @Test("With unequal costs the integrality gap covers what the best of all ranks takes more")
  func gapCoversTheBest() throws {
    try forEachCase(seed: 63, cases: 150) { generator, _ in
      let (program, units) = generator.spectrumProgram(
        units: generator.integer(in: 1...5), equalCosts: false, largestRank: 6)
      let solved = try SolvedSpectrum(program, units)
      let objective = SpectrumObjective(program: program, units: units)
      let (found, best) = (objective.decrease(solved.ranks), objective.bestByEnumeration())
      let gap = try #require(solved.certificate.integralityGap)
      try require(objective.cost(solved.ranks) <= program.budget, "overspent: \(solved.ranks)")
      try require(solved.spent == objective.cost(solved.ranks), "spent \(solved.spent)")
      try require(found <= best * (1 + 1e-14), "more than the best: \(found), \(best)")
      try require(found + gap >= best - 1e-12 * best, "\(found) + \(gap) is below \(best)")
      // Nothing that still fits and takes loss away was left out.
      for position in units.indices {
        var more = solved.ranks
        more[position] += program.step
        let fits =
          objective.allowed(units[position]).contains(more[position])
          && objective.cost(more) <= program.budget
        try require(
          !fits || objective.decrease(more) == found, "one more for \(position) fits and helps")
      }
    }
  }

  @Test("The continuous answer is the relaxed optimum, and its certificate closes")
  func certificateCloses() throws {
    try forEachCase(seed: 64, cases: 200) { generator, number in
      let (program, units) = generator.spectrumProgram(
        units: generator.integer(in: 1...30), equalCosts: number.isMultiple(of: 2))
      let solved = try SolvedSpectrum(program, units)
      let certificate = solved.certificate
      let best = SpectrumObjective(program: program, units: units).relaxedBest()
      let size = max(best, 1e-9)
      try require(
        abs(certificate.primal + best) <= 1e-12 * size, "\(-certificate.primal), not \(best)")
      try require(abs(certificate.gap) <= 1e-11 * size, "gap \(certificate.gap) of \(size)")
      try require(certificate.kktResidual < 1e-13, "\(certificate)")
      try require(solved.spentContinuous <= program.budget, "over: \(solved.spentContinuous)")
      // All but one unit hold whole steps.
      let step = Double(program.step)
      let inPart = solved.continuous.filter { $0 / step != ($0 / step).rounded() }
      try require(inPart.count <= 1, "\(solved.continuous) in steps of \(step)")
      let summed = zip(units, solved.continuous).reduce(0) { $0 + $1.0.cost * $1.1 }
      try require(abs(summed - solved.spentContinuous) <= 1e-12 * program.budget, "\(summed)")
    }
  }

  @Test("It takes no less loss away than the log utility and uniform ranks at the same budget")
  func neverBelowTheFormula() throws {
    try forEachCase(seed: 65, cases: 150) { generator, number in
      let equal = number.isMultiple(of: 2)
      let (program, units) = generator.spectrumProgram(
        units: generator.integer(in: 1...20), equalCosts: equal)
      let solved = try SolvedSpectrum(program, units)
      let objective = SpectrumObjective(program: program, units: units)
      var formula = CapacityProgram(budget: program.budget)
      formula.step = program.step
      formula.spend = .all
      let capacity = units.map { unit in
        let (lower, upper) = program.bounds(of: unit)
        return CapacityUnit(
          index: unit.index, quality: 2 * unit.decreases.reduce(0, +) + 0.1, cost: unit.cost,
          lower: Double(lower), upper: Double(upper))
      }
      let other = try #require(try SolvedCapacity(formula, capacity, integers: true).integers)
      let found = objective.decrease(solved.ranks)
      // For unequal costs a greedy fill may lose to luck, by no more than the gap.
      let slack = equal ? 0 : try #require(solved.certificate.integralityGap)
      for (name, ranks) in [("log", other), ("uniform", solved.uniform)] {
        try require(objective.cost(ranks) <= program.budget, "\(name) overspends: \(ranks)")
        try require(
          objective.decrease(ranks) <= found + slack + 1e-13 * found,
          "\(name) \(ranks) takes \(objective.decrease(ranks)), more than \(found)")
      }
    }
  }

  @Test("Uniform ranks differ by a step at most where no bound stops them")
  func uniformIsUniform() throws {
    try forEachCase(seed: 66, cases: 100) { generator, number in
      let (program, units) = generator.spectrumProgram(
        units: generator.integer(in: 1...20), equalCosts: number.isMultiple(of: 2))
      let uniform = try SolvedSpectrum(program, units).uniform
      let free = zip(units, uniform).filter { unit, rank in
        let (lower, upper) = program.bounds(of: unit)
        return rank > lower && rank < upper
      }.map(\.1)
      let spread = (free.max() ?? 0) - (free.min() ?? 0)
      try require(spread <= program.step, "\(uniform) under \(program)")
      try require(
        zip(units, uniform).allSatisfy {
          SpectrumObjective(program: program, units: units).allowed($0).contains($1)
        }, "\(uniform) breaks a bound")
    }
  }

  @Test("Ranks that take nothing away are bought with --spend all only", arguments: [1, 2])
  func zeroValues(step: Int) throws {
    let units = [
      SpectrumUnit(
        index: 0, decreases: [4, 2, 0, 0, 0, 0], cost: 1, lower: 0, upper: .infinity),
      SpectrumUnit(index: 1, decreases: [0, 0, 0, 0], cost: 1, lower: 0, upper: .infinity),
    ]
    var program = SpectrumProgram(budget: 8)
    program.step = step
    let priced = try SolvedSpectrum(program, units, on: 2)
    #expect(priced.ranks == [2, 0])
    #expect(priced.price == 0)
    #expect(priced.certificate.integerBudgetLeft == 6)
    program.spend = .all
    let all = try SolvedSpectrum(program, units, on: 2)
    #expect(all.ranks == [6, 2])
    #expect(all.certificate.integerBudgetLeft == 0)
    #expect(all.certificate.primal == -6)
  }

  @Test("A last step shorter than the multiple is not taken")
  func shortLastStep() throws {
    var program = SpectrumProgram(budget: 100)
    program.step = 4
    let unit = SpectrumUnit(
      index: 0, decreases: [5, 4, 3, 2, 1, 1], cost: 1, lower: 0, upper: .infinity)
    #expect(try SolvedSpectrum(program, [unit]).ranks == [4])
    #expect(program.bounds(of: unit) == (0, 4))
  }

  @Test("What no spectrum can be, and bounds without a rank, are refused on every rank")
  func refusals() {
    let good: [Double] = [3, 1]
    func unit(
      _ decreases: [Double], cost: Double = 1, _ lower: Double = 0, _ upper: Double = .infinity
    ) -> SpectrumUnit {
      SpectrumUnit(index: 1, decreases: decreases, cost: cost, lower: lower, upper: upper)
    }
    let first = SpectrumUnit(index: 0, decreases: good, cost: 1, lower: 0, upper: .infinity)
    func message(_ unit: SpectrumUnit, step: Int = 1, budget: Double = 10) -> String {
      var program = SpectrumProgram(budget: budget)
      program.step = step
      do throws(AllocationError) {
        _ = try SolvedSpectrum(program, [first, unit], on: 2)
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(message(unit(good)) == "")
    #expect(message(unit([1, 3])).contains("the spectrum of unit number 2"))
    #expect(message(unit([1, -1])).contains("not negative"))
    #expect(message(unit([.infinity, 1])).contains("the spectrum of unit number 2"))
    #expect(message(unit(good, cost: 0)).contains("the cost of unit number 2"))
    #expect(message(unit(good, 3)).contains("0 to 2"))
    #expect(message(unit(good, 1, 1), step: 2).contains("without a multiple of 2"))
    #expect(message(unit(good, 2), budget: 1).contains("the lower bounds"))
    #expect(message(unit(good), budget: 0).contains("the budget is 0.0"))
    #expect(message(unit(good), step: 0).contains("the multiple is 0"))
  }
}
