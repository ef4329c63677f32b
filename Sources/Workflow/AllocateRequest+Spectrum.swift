internal import Allocation
internal import Collectives
internal import PlanFiles

/// What capacity is worth to a unit.
public enum CapacityUtility: String, CaseIterable, Sendable {
  /// γ q^β log(s + x).
  case log
  /// Ranks: the loss that each takes away, from the singular values of the whitened gradient.
  case spectrum
}

extension AllocateRequest {
  /// The road of `run` with measured values in the place of the formula.
  ///
  ///     files → statistics → gains and spectra → price → plan → output
  ///
  /// The formula is solved beside them under the same budget, bounds and costs, and both answers
  /// and a uniform one are judged by the spectra. Collective, as `run`.
  func runBySpectrum(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (plan: PlanDocument, run: RunDocument)? {
    var planning = try PlanningRun(
      command: "allocate", source: .statistics(try source.askedForSpectra()), quality: quality,
      bounds: bounds,
      cost: cost, search: search, output: output, over: world)
    let units = try agreed(over: world) { () throws(Failure) in try spectrumUnits(planning) }
    let answer = try spectrumAnswer(units, &planning, over: world)
    let solution = answer.solution
    let noise = spectrumNoise(&planning, over: world)

    let spectrum = spectrumProgram
    let planned = planning.gains.units.enumerated().map { position, gained in
      let unit = gained.unit
      let bounds = spectrum.bounds(of: units[position])
      return PlanDocument.Unit(
        name: unit.name, gain: unit.gain, standardError: unit.standardError,
        predictedNoise: unit.predictedNoise, quality: planning.qualities[position],
        continuous: solution.continuous[position], integer: solution.ranks[position],
        lower: Double(bounds.lower), upper: Double(bounds.upper), cost: units[position].cost,
        weights: nil, modules: unit.modules)
    }
    return try planning.finish(planned, over: world) { all in
      var plan = PlanDocument(
        program: .capacity, parameters: spectrumParameters(planning.parameters),
        price: solution.price, budget: program.budget, spent: solution.spentContinuous,
        spentInteger: solution.spent, units: all,
        certificate: PlanDocument.Certificate(solution.certificate), inputs: planning.inputs,
        notes: planning.gains.notes + NoiseNote.of(all) + noise + spectrumNotes(solution))
      plan.predictedLossDecreases = answer.decreases
      plan.predictedLossDecrease = answer.decreases[CapacityUtility.spectrum.rawValue]
      return plan
    }
  }

  var spectrumProgram: SpectrumProgram {
    var spectrum = SpectrumProgram(budget: program.budget)
    spectrum.spend = program.spend
    spectrum.step = program.step
    return spectrum
  }

  private func spectrumUnits(_ planning: PlanningRun) throws(Failure) -> [SpectrumUnit] {
    var units: [SpectrumUnit] = []
    for (gained, decreases) in zip(planning.gains.units, planning.gains.decreases ?? []) {
      let (lower, upper) = planning.values.bounds(of: gained.unit.name)
      units.append(
        SpectrumUnit(
          index: gained.index, decreases: decreases,
          cost: try rankCost(of: gained.unit, planning.values), lower: lower, upper: upper))
    }
    return units
  }

  /// What one rank costs: Σ (in + out) over the unit's modules, the parameters of an adapter of
  /// rank 1, unless other costs were given.
  private func rankCost(
    of unit: ScoresDocument.Unit, _ values: UnitValues
  ) throws(Failure) -> Double {
    guard cost == .uniform(1) else { return try values.cost(of: unit) }
    return Double(unit.modulesDetail.reduce(0) { $0 + $1.shape.reduce(0, +) })
  }

  private func spectrumParameters(
    _ shared: [String: ParameterValue]
  ) -> [String: ParameterValue] {
    var parameters = parameters(shared)
    parameters["integer"] = .flag(true)
    if cost == .uniform(1) { parameters["cost"] = .text("rank") }
    return parameters
  }

  private func spectrumNotes(_ solution: SpectrumSolution) -> [String] {
    guard solution.price == 0, let left = solution.certificate.integerBudgetLeft, left > 0 else {
      return []
    }
    return [
      "the budget does not bind: \(left) of \(program.budget) is left after every rank that the bounds "
        + "allow and that takes any loss away"
    ]
  }
}
