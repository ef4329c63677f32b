public import Allocation
public import Collectives
public import PlanFiles

/// `layerbudget allocate`: gains in, a capacity plan out.
public struct AllocateRequest: Sendable {
  public var source: GainSource
  public var quality = QualityRule()
  public var measure: CapacityMeasure
  /// Its budget is replaced by what ``measure`` says.
  public var program = CapacityProgram(budget: 1)
  public var bounds = BoundsRequest(maximum: .infinity)
  public var wholeNumbers = false
  public var utility = CapacityUtility.log
  public var search = PriceSearch.Method.accelerated
  public var output: String

  public init(source: GainSource, measure: CapacityMeasure, output: String) {
    self.source = source
    self.measure = measure
    self.output = output
  }

  /// files → statistics → gains → qualities → price → plan → output.
  ///
  /// Collective: every rank calls. Returns plan and run at rank 0, nil elsewhere; throws the same
  /// failure on every rank, with nothing written.
  public func run(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (plan: PlanDocument, run: RunDocument)? {
    try OutputDocuments(path: output).write(over: world, removing: source.journal) {
      () throws(Failure) in
      try make(over: world)
    }
  }

  /// `run` without the output: the same documents in memory. Collective.
  func make(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (plan: PlanDocument, run: RunDocument)? {
    var program = program
    program.budget = try measure.amount(over: world)
    guard let closedForm = utility.closedForm else {
      return try makeBySpectrum(program, over: world)
    }
    program.utility = closedForm
    var planning = try PlanningRun(
      command: "allocate", source: source, quality: quality, bounds: bounds,
      costs: { () throws(Failure) in try UnitCosts(measure) }, search: search,
      over: world)
    let units = try agreed(over: world) { () throws(Failure) in
      try measure.units(planning.gains, planning.qualities, planning.values)
    }
    let solution: CapacitySolution
    do throws(AllocationError) {
      solution = try program.solve(
        units, totalUnits: planning.gains.totalUnits, wholeNumbers: wholeNumbers,
        search: &planning.search,
        over: world)
    } catch {
      throw Failure(error, among: planning.gains.units, over: world)
    }
    let uncertainty = PlanUncertainty(
      of: planning.gains, by: quality, plan: units, under: program, search: &planning.search,
      over: world)
    let planned = planning.gains.units.enumerated().map { position, gained in
      let unit = units[position]
      var planned = PlanDocument.Unit(
        name: gained.unit.name, gain: gained.unit.gain,
        standardError: gained.unit.standardError, predictedNoise: gained.unit.predictedNoise,
        quality: unit.quality,
        continuous: solution.continuous[position], integer: solution.integer?.values[position],
        lower: unit.lower, upper: unit.upper, cost: unit.cost, weights: nil,
        modules: gained.unit.modules.isEmpty ? nil : gained.unit.modules)
      planned.budgetSensitivity = solution.budgetSensitivities[position]
      planned.boundWorth = solution.boundWorths[position]
      let own = planning.values.costs.program(of: gained.unit.name)
      planned.alpha = own?.alpha
      planned.gammaFactor = own?.gamma
      planned.note(uncertainty, at: position)
      return planned
    }
    return try planning.finish(planned, over: world) { all in
      var plan = PlanDocument(
        program: .capacity, parameters: parameters(program, solution, planning),
        price: solution.price, budget: program.budget, spent: solution.spent,
        spentInteger: solution.integer?.spent, units: all,
        certificate: PlanDocument.Certificate(solution.certificate), inputs: planning.inputs,
        notes: planning.gains.notes + NoiseNote.of(all) + notes(program, solution))
      plan.noiseRegret = uncertainty?.noiseRegret
      return plan
    }
  }

  private func parameters(
    _ program: CapacityProgram, _ solution: CapacitySolution, _ planning: PlanningRun
  ) -> [String: ParameterValue] {
    var parameters = planning.parameters
      .merging(measure.parameters(planning.values.costs)) { _, new in new }
    parameters.merge(program.asParameters(gamma: solution.gamma)) { _, new in new }
    parameters["integer"] = .flag(wholeNumbers)
    parameters["multiple_of"] = .number(Double(program.step))
    return parameters
  }

  private func notes(_ program: CapacityProgram, _ solution: CapacitySolution) -> [String] {
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
    modulus = certificate.modulus
    conditionNumber = certificate.conditionNumber
  }
}
