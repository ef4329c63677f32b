internal import Allocation
internal import Collectives
internal import PlanFiles

extension AllocateRequest {
  /// The road of `make` with measured values in the place of the formula.
  ///
  ///     files → statistics → gains and spectra → price → plan
  ///
  /// The formula is solved beside them under the same budget, bounds and costs, and both answers
  /// and a uniform one are judged by the spectra. Collective, as `make`.
  func makeBySpectrum(
    _ program: CapacityProgram, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (plan: PlanDocument, run: RunDocument)? {
    let statistics = try source.askedForSpectra(of: measure.kind)
    var planning = try PlanningRun(
      command: "allocate", source: .statistics(statistics), quality: quality, bounds: bounds,
      costs: { () throws(Failure) in try UnitCosts(measure) }, search: search,
      over: world)
    let capacity = try agreed(over: world) { () throws(Failure) in
      try measure.units(planning.gains, planning.qualities, planning.values)
    }
    let units = zip(capacity, planning.gains.decreases ?? []).map {
      SpectrumUnit(
        index: $0.index, decreases: $1, cost: $0.cost, lower: $0.lower, upper: $0.upper)
    }
    let spectrum = SpectrumProgram(sharing: program)
    let answer = try spectrumAnswer(program, units, &planning, over: world)
    let solution = answer.solution
    let noise = spectrumNoise(&planning, over: world)

    let planned = planning.gains.units.enumerated().map { position, gained in
      let unit = gained.unit
      let bounds = spectrum.bounds(of: units[position])
      var planned = PlanDocument.Unit(
        name: unit.name, gain: unit.gain, standardError: unit.standardError,
        predictedNoise: unit.predictedNoise, quality: planning.qualities[position],
        continuous: solution.continuous[position], integer: solution.ranks[position],
        lower: Double(bounds.lower), upper: Double(bounds.upper), cost: units[position].cost,
        weights: nil, modules: unit.modules)
      let own = planning.values.costs.program(of: unit.name)
      planned.alpha = own?.alpha
      planned.gammaFactor = own?.gamma
      return planned
    }
    return try planning.finish(planned, over: world) { all in
      var plan = PlanDocument(
        program: .capacity, parameters: spectrumParameters(program, planning),
        price: solution.price, budget: program.budget, spent: solution.spentContinuous,
        spentInteger: solution.spent, units: all,
        certificate: PlanDocument.Certificate(solution.certificate), inputs: planning.inputs,
        notes: planning.gains.notes + NoiseNote.of(all) + noise + notes(program, solution))
      plan.predictedLossDecreases = answer.decreases
      plan.predictedLossDecrease = answer.decreases[CapacityUtility.spectrum.description]
      return plan
    }
  }

  private func spectrumParameters(
    _ program: CapacityProgram, _ planning: PlanningRun
  ) -> [String: ParameterValue] {
    var parameters = planning.parameters
      .merging(measure.parameters(planning.values.costs)) { _, new in new }
    // The formula beside it is solved with γ where one was given.
    var given: Double?
    if case .fixed(let gamma) = program.gamma { given = gamma }
    parameters.merge(program.asParameters(gamma: given, utility: .spectrum)) { _, new in new }
    parameters["integer"] = .flag(true)
    parameters["multiple_of"] = .number(Double(program.step))
    return parameters
  }

  private func notes(_ program: CapacityProgram, _ solution: SpectrumSolution) -> [String] {
    guard solution.price == 0, let left = solution.certificate.integerBudgetLeft, left > 0 else {
      return []
    }
    return [
      "the budget does not bind: \(left) of \(program.budget) is left after every rank that the bounds "
        + "allow and that takes any loss away"
    ]
  }
}

extension SpectrumProgram {
  /// With the budget, the step and the rule of spending of the formula's program.
  init(sharing program: CapacityProgram) {
    self.init(budget: program.budget)
    spend = program.spend
    step = program.step
  }
}
