internal import Allocation
internal import Collectives
internal import PlanFiles

extension SweepRequest {
  /// Points of the closed forms. Collective.
  func capacityPoints(
    _ program: CapacityProgram, _ measures: [CapacityMeasure], _ wholeNumbers: Bool,
    _ shared: SweepUnits, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SweepPoints {
    let units = try agreed(over: world) { () throws(Failure) in
      try measures[0].units(shared.gains, shared.qualities, shared.values)
    }
    let totalUnits = shared.gains.totalUnits
    let solved = try Self.solvedTogether(
      try programs(program, measures, over: world), of: shared.gains, search: &search, over: world
    ) { program, search, joint throws(AllocationError) in
      let solution = try program.solve(
        units, totalUnits: totalUnits, wholeNumbers: wholeNumbers, search: &search, over: joint)
      return SweepPoints.Solved(
        point: SweepDocument.Point(
          budget: program.budget, sparsity: nil, price: solution.price, gamma: solution.gamma,
          spent: solution.spent, spentInteger: solution.integer?.spent,
          certificate: PlanDocument.Certificate(solution.certificate)),
        continuous: solution.continuous, integer: solution.integer?.values)
    }
    var parameters = parameters(program, measures, shared, utility: nil)
    parameters["integer"] = .flag(wholeNumbers)
    return SweepPoints(
      kind: .capacity,
      units: zip(shared.gains.units, units).map { gained, unit in
        SweepDocument.Unit(
          name: gained.unit.name, quality: unit.quality, lower: unit.lower, upper: unit.upper,
          cost: unit.cost, weights: nil, continuous: [], integer: nil)
      }, solved: solved, parameters: parameters)
  }

  /// Points by spectra: the gradients are decomposed once. Collective.
  func spectrumPoints(
    _ program: CapacityProgram, _ measures: [CapacityMeasure], _ shared: SweepUnits,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SweepPoints {
    let capacity = try agreed(over: world) { () throws(Failure) in
      try measures[0].units(shared.gains, shared.qualities, shared.values)
    }
    let units = zip(capacity, shared.gains.decreases ?? []).map {
      SpectrumUnit(
        index: $0.index, decreases: $1, cost: $0.cost, lower: $0.lower, upper: $0.upper)
    }
    let programs = try programs(program, measures, over: world).map(SpectrumProgram.init(sharing:))
    let totalUnits = shared.gains.totalUnits
    let solved = try Self.solvedTogether(
      programs, of: shared.gains, search: &search, over: world
    ) {
      program, search, joint throws(AllocationError) in
      let solution = try program.solve(units, totalUnits: totalUnits, search: &search, over: joint)
      return SweepPoints.Solved(
        point: SweepDocument.Point(
          budget: program.budget, sparsity: nil, price: solution.price, gamma: nil,
          spent: solution.spentContinuous, spentInteger: solution.spent,
          certificate: PlanDocument.Certificate(solution.certificate)),
        continuous: solution.continuous, integer: solution.ranks)
    }
    var parameters = parameters(program, measures, shared, utility: .spectrum)
    parameters["integer"] = .flag(true)
    return SweepPoints(
      kind: .capacity,
      units: units.indices.map { position in
        let unit = units[position]
        let bounds = programs[0].bounds(of: unit)
        return SweepDocument.Unit(
          name: shared.gains.units[position].unit.name, quality: shared.qualities[position],
          lower: Double(bounds.lower), upper: Double(bounds.upper), cost: unit.cost, weights: nil,
          continuous: [], integer: nil)
      }, solved: solved, parameters: parameters)
  }

  /// The program with each of the budgets. Collective where nodes are asked.
  private func programs(
    _ program: CapacityProgram, _ measures: [CapacityMeasure],
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [CapacityProgram] {
    var programs: [CapacityProgram] = []
    for measure in measures {
      var program = program
      program.budget = try measure.amount(over: world)
      programs.append(program)
    }
    return programs
  }

  private func parameters(
    _ program: CapacityProgram, _ measures: [CapacityMeasure], _ shared: SweepUnits,
    utility: CapacityUtility?
  ) -> [String: ParameterValue] {
    var parameters = program.asParameters(gamma: nil, utility: utility)
      .merging(measures[0].parameters(shared.values.costs)) { _, new in new }
    parameters["multiple_of"] = .number(Double(program.step))
    return parameters
  }
}
