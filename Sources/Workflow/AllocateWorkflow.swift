public import Allocation
public import Collectives
public import PlanFiles

/// `layerbudget allocate`: gains in, a capacity plan out.
public struct AllocateRequest: Sendable {
  public var source: GainSource
  public var quality = QualityRule()
  public var program: CapacityProgram
  public var bounds = BoundsRequest(maximum: .infinity)
  public var cost = CostRequest.uniform(1)
  public var wholeNumbers = false
  public var utility = CapacityUtility.log
  public var search = PriceSearch.Method.accelerated
  public var output: String

  public init(source: GainSource, program: CapacityProgram, output: String) {
    self.source = source
    self.program = program
    self.output = output
  }

  /// files → statistics → gains → qualities → price → plan → output.
  ///
  /// Collective: every rank calls. Returns plan and run at rank 0, nil elsewhere; throws the same
  /// failure on every rank, with nothing written.
  public func run(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (plan: PlanDocument, run: RunDocument)? {
    if utility == .spectrum { return try runBySpectrum(over: world) }
    var planning = try PlanningRun(
      command: "allocate", source: source, quality: quality, bounds: bounds, cost: cost,
      search: search, output: output, over: world)
    let units = try agreed(over: world) { () throws(Failure) in
      try capacityUnits(planning.gains, planning.qualities, planning.values)
    }
    let solution: CapacitySolution
    do throws(AllocationError) {
      solution = try program.solve(
        units, totalUnits: planning.gains.totalUnits, wholeNumbers: wholeNumbers,
        search: &planning.search,
        over: world)
    } catch {
      throw Failure(error)
    }
    let planned = planning.gains.units.enumerated().map { position, gained in
      let unit = units[position]
      return PlanDocument.Unit(
        name: gained.unit.name, gain: gained.unit.gain,
        standardError: gained.unit.standardError, predictedNoise: gained.unit.predictedNoise,
        quality: unit.quality,
        continuous: solution.continuous[position], integer: solution.integer?.values[position],
        lower: unit.lower, upper: unit.upper, cost: unit.cost, weights: nil)
    }
    return try planning.finish(planned, over: world) { all in
      PlanDocument(
        program: .capacity, parameters: parameters(solution, planning.parameters),
        price: solution.price, budget: program.budget, spent: solution.spent,
        spentInteger: solution.integer?.spent, units: all,
        certificate: PlanDocument.Certificate(solution.certificate), inputs: planning.inputs,
        notes: planning.gains.notes + NoiseNote.of(all) + notes(solution))
    }
  }

  private func capacityUnits(
    _ gains: SlicedGains, _ qualities: [Double], _ values: UnitValues
  ) throws(Failure) -> [CapacityUnit] {
    var units: [CapacityUnit] = []
    for (gained, quality) in zip(gains.units, qualities) {
      let (lower, upper) = values.bounds(of: gained.unit.name)
      units.append(
        CapacityUnit(
          index: gained.index, quality: quality, cost: try values.cost(of: gained.unit),
          lower: lower, upper: upper))
    }
    return units
  }

  private func parameters(
    _ solution: CapacitySolution, _ shared: [String: ParameterValue]
  ) -> [String: ParameterValue] {
    var parameters = parameters(shared)
    parameters["gamma"] = .number(solution.gamma)
    return parameters
  }

  /// The options as resolved, but for γ.
  func parameters(_ shared: [String: ParameterValue]) -> [String: ParameterValue] {
    var parameters = shared
    parameters["alpha"] = .number(program.alpha)
    parameters["alpha_per"] = .text(program.alphaPer.rawValue)
    parameters["beta"] = .number(program.beta)
    parameters["gamma_rule"] = .text(program.gamma == .automatic ? "auto" : "fixed")
    parameters["offset"] = .number(program.offset)
    parameters["utility"] = .text(utility.rawValue)
    parameters["spend"] = .text(program.spend.rawValue)
    parameters["integer"] = .flag(wholeNumbers)
    parameters["multiple_of"] = .number(Double(program.step))
    return parameters
  }

  private func notes(_ solution: CapacitySolution) -> [String] {
    var notes: [String] = []
    if solution.price == 0, solution.certificate.budgetLeft > 0 {
      notes.append(
        "the budget does not bind: \(solution.certificate.budgetLeft) of \(program.budget) is not "
          + "worth its running cost; --spend all would use it")
    }
    return notes
  }
}

extension PlanDocument.Certificate {
  init(_ certificate: Certificate) {
    self.init(
      primal: certificate.primal, dual: certificate.dual, gap: certificate.gap,
      kktResidual: certificate.kktResidual,
      stationarityResidual: certificate.stationarityResidual,
      feasibilityResidual: certificate.feasibilityResidual,
      complementarityResidual: certificate.complementarityResidual,
      budgetLeft: certificate.budgetLeft, integerBudgetLeft: certificate.integerBudgetLeft,
      integralityGap: certificate.integralityGap, unitsAtLower: certificate.unitsAtLower,
      unitsAtUpper: certificate.unitsAtUpper)
  }
}
