import Allocation
import Testing

/// Every program that has no answer says why, alike on every rank.
@Suite("Refusals")
struct RefusalTests {
  private func unit(
    _ index: Int, quality: Double = 1, cost: Double = 1, lower: Double = 0,
    upper: Double = .infinity
  ) -> CapacityUnit {
    CapacityUnit(index: index, quality: quality, cost: cost, lower: lower, upper: upper)
  }

  @Test("Lower bounds above the budget are refused with the shortfall", arguments: [1, 3])
  func floorsAboveBudget(ranks: Int) {
    let units = (0..<5).map { unit($0, lower: 3) }
    #expect(
      throws: AllocationError.infeasible(
        what: "the budget", value: "10.0", nearest: "the lower bounds alone cost 15.0, 5.0 more",
        advice: "raise --budget to at least 15.0 or lower --min")
    ) { try SolvedCapacity(CapacityProgram(budget: 10), units, ranks: ranks) }
  }

  @Test("A bad unit on one of several ranks is refused on all", arguments: [1, 2, 7])
  func badUnit(ranks: Int) {
    for bad in [
      unit(4, cost: -1), unit(4, cost: 0), unit(4, quality: .nan), unit(4, quality: -1),
      unit(4, lower: 2, upper: 1), unit(4, cost: .infinity),
    ] {
      let units = (0..<9).map { $0 == 4 ? bad : unit($0) }
      #expect {
        try SolvedCapacity(CapacityProgram(budget: 10), units, ranks: ranks)
      } throws: { error in
        guard let error = error as? AllocationError else { return false }
        return error.unit == 4 && "\(error)".contains(" of unit number 5 is ")
          && error.description(calling: "\"e\"").contains(" of unit \"e\" is ")
      }
    }
  }

  @Test(
    "Of several bad units the first is told, whichever ranks own them", arguments: [1, 2, 3, 7])
  func firstBadUnit(ranks: Int) {
    // The second kind of error names no unit, yet has its place among them.
    var unpriced = CapacityProgram(budget: 10)
    unpriced.alpha = 0
    func priced(_ index: Int, quality: Double = 1) -> CapacityUnit {
      CapacityUnit(index: index, quality: quality, cost: 1, lower: 0, upper: 9, alpha: 1)
    }
    for bad in [[3, 4], [2, 7], [5, 6, 8]] {
      for isUnpriced in [false, true] {
        let program = isUnpriced ? unpriced : CapacityProgram(budget: 10)
        let units = (0..<9).map { index in
          if isUnpriced, index == bad[1] { return unit(index) }
          return priced(index, quality: bad.contains(index) ? -1 - Double(index) : 1)
        }
        #expect(
          throws: AllocationError.invalid(
            what: "the quality", unit: bad[0], value: "\(-1 - Double(bad[0]))",
            limit: "not negative, at most 2^200 with its exponent beta",
            advice: "check the scores, or --normalize them")
        ) { try SolvedCapacity(program, units, ranks: ranks) }
      }
    }
  }

  @Test("A unit's own alpha and gamma factor are refused outside their range")
  func badOwnNumbers() throws {
    func own(_ alpha: Double?, _ factor: Double) -> [CapacityUnit] {
      [unit(0)]
        + [
          CapacityUnit(
            index: 1, quality: 1, cost: 1, lower: 0, upper: 9, alpha: alpha, gammaFactor: factor)
        ]
    }
    var fixed = CapacityProgram(budget: 10)
    fixed.gamma = .fixed(1)
    for (program, units, name) in [
      (fixed, own(-1, 1), "alpha"), (fixed, own(.infinity, 1), "alpha"),
      (fixed, own(nil, -1), "the gamma factor"), (fixed, own(nil, .nan), "the gamma factor"),
      (CapacityProgram(budget: 10), own(0, 1), "alpha"),
      (fixed, own(nil, 1e307), "the gamma factor"),
    ] {
      #expect {
        try SolvedCapacity(program, units)
      } throws: { error in
        guard case .invalid(let what, let unit, _, _, _)? = error as? AllocationError else {
          return false
        }
        return what == name && unit == 1
      }
    }
    // A running cost of 0 is fine under a γ that is given: the bound or the price stops the unit.
    #expect(try SolvedCapacity(fixed, own(0, 1)).continuous.last == 9)
    // α of the program does not matter where every unit has its own.
    var withoutAlpha = CapacityProgram(budget: 10)
    withoutAlpha.alpha = 0
    let alone = CapacityUnit(index: 0, quality: 1, cost: 1, lower: 0, upper: 9, alpha: 0.5)
    #expect(try SolvedCapacity(withoutAlpha, [alone]).continuous == [9])
  }

  @Test("Qualities too small for the arithmetic are refused; 0 is not")
  func tinyQualities() throws {
    func capacity(_ quality: Double) throws -> Double {
      let units = [1, quality].enumerated().map {
        CapacityUnit(index: $0, quality: $1, cost: 1, lower: 0, upper: 9)
      }
      return try SolvedCapacity(CapacityProgram(budget: 10), units).spent
    }
    func removed(_ quality: Double, kappa: Double = 0.25) throws -> Int {
      let units = [1, quality].enumerated().map {
        PruningUnit(index: $0, quality: $1, weights: 9, lower: 0, upper: 1)
      }
      var program = PruningProgram(sparsity: 0.5)
      program.kappa = kappa
      return try SolvedPruning(program, units).integers.reduce(0, +)
    }
    for quality in [.leastNormalMagnitude, 0x1p-1000] {
      #expect(throws: AllocationError.self) { try capacity(quality) }
      #expect(throws: AllocationError.self) { try removed(quality, kappa: 1) }
    }
    #expect(try capacity(0) <= 10 && capacity(0x1p-150) <= 10)
    #expect(try removed(0) == 9 && removed(0x1p-150) == 9)
  }

  @Test("Parameters outside their range are refused by name")
  func badParameters() {
    var cases: [(CapacityProgram, String)] = []
    for (change, name) in [
      ({ $0.budget = -1 }, "the budget"), ({ $0.budget = .nan }, "the budget"),
      ({ $0.alpha = -1 }, "alpha"), ({ $0.beta = .nan }, "beta"), ({ $0.offset = 0 }, "the offset"),
      ({ $0.gamma = .fixed(0) }, "gamma"), ({ $0.step = 0 }, "the multiple"),
      ({ $0.alpha = 0 }, "alpha"),
      ({ $0.utility = .power(0) }, "the exponent of the utility"),
      ({ $0.utility = .power(1) }, "the exponent of the utility"),
      ({ $0.utility = .power(.nan) }, "the exponent of the utility"),
    ] as [((inout CapacityProgram) -> Void, String)] {
      var program = CapacityProgram(budget: 10)
      change(&program)
      cases.append((program, name))
    }
    for (program, name) in cases {
      #expect {
        try SolvedCapacity(program, [unit(0)])
      } throws: { error in
        guard case .invalid(let what, let unit, _, _, _)? = error as? AllocationError else {
          return false
        }
        return what == name && unit == nil
      }
    }
  }

  @Test("A sparsity outside what the floors allow is refused with the nearest one")
  func sparsityBelowFloors() {
    let units = (0..<4).map {
      PruningUnit(index: $0, quality: 1, weights: 10, lower: 0.5, upper: 1)
    }
    #expect {
      try SolvedPruning(PruningProgram(sparsity: 0.25), units, ranks: 2)
    } throws: { error in
      guard case .infeasible(_, _, let nearest, let advice)? = error as? AllocationError else {
        return false
      }
      return nearest.hasSuffix("0.5") && advice.contains("lower --min")
    }
  }

  @Test("A range without a whole multiple is refused when whole numbers are asked for")
  func noMultipleInRange() {
    var program = CapacityProgram(budget: 100)
    program.step = 8
    #expect(throws: AllocationError.self) {
      try SolvedCapacity(program, [unit(0, lower: 9, upper: 15)], integers: true)
    }
  }
}
