public import Allocation
public import Collectives
public import PlanFiles

/// How damage grows with the share that is removed.
public enum PruningCurve: String, CaseIterable, Sendable {
  /// ρ².
  case quadratic
  /// −log(1 − ρ).
  case log
  /// The running sum of the unit's own costs ½ w² h, smallest first.
  case measured

  /// The closed form; nil for the measured curve.
  var psi: PruningProgram.Psi? { PruningProgram.Psi(rawValue: rawValue) }
}

/// `layerbudget prune`: gains in, a pruning plan out.
public struct PruneRequest: Sendable {
  public var source: GainSource
  public var quality = QualityRule()
  /// What is made into qualities.
  public var judgedBy = QualitySource.gain
  /// The closed forms; their ψ is that of `curve` where that is one.
  public var program: PruningProgram
  public var curve: PruningCurve
  /// κ of the measured curve.
  public var measuredKappa = 0.0
  /// The N:M patterns that units may take; nil for any number of weights.
  public var patterns: SparsityPatterns?
  public var bounds = BoundsRequest(maximum: 1)
  public var search = PriceSearch.Method.accelerated
  public var output: String

  public init(source: GainSource, program: PruningProgram, output: String) {
    self.source = source
    self.program = program
    self.output = output
    curve = PruningCurve(rawValue: program.psi.rawValue) ?? .quadratic
  }

  /// files → statistics → gains (→ costs of weights) → qualities → price → plan → output.
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
    var planning = try PlanningRun(
      command: "prune", source: source, quality: quality, bounds: bounds, costs: { UnitCosts() },
      search: search, judgingBy: judgedBy, patterns: patterns, over: world)
    let units = planning.gains.pruningUnits(
      planning.qualities, planning.values, planning.measured)
    let answer =
      if let patterns {
        try patternAnswer(units, patterns, &planning, over: world)
      } else {
        try shareAnswer(units, &planning, over: world)
      }
    let hasWeights = planning.measured != nil
    let solution = answer.solution
    let uncertainty = uncertainty(of: units, &planning, over: world)
    let planned = planning.gains.units.enumerated().map { position, gained in
      let unit = units[position]
      var planned = PlanDocument.Unit(
        name: gained.unit.name, gain: gained.unit.gain,
        standardError: gained.unit.standardError, predictedNoise: gained.unit.predictedNoise,
        quality: unit.quality,
        continuous: solution.continuous[position], integer: solution.integers[position],
        lower: unit.lower, upper: unit.upper, cost: nil, weights: unit.weights,
        modules: gained.unit.modules.isEmpty ? nil : gained.unit.modules,
        pattern: answer.zeros.flatMap { zeros in patterns?.text(of: zeros[position]) })
      planned.damage = gained.unit.damage
      if !solution.budgetSensitivities.isEmpty {
        planned.budgetSensitivity = solution.budgetSensitivities[position]
        planned.boundWorth = solution.boundWorths[position]
      }
      planned.note(uncertainty, at: position)
      return planned
    }
    return try planning.finish(planned, over: world) { all in
      var plan = PlanDocument(
        program: .pruning,
        parameters: parameters(solution, planning.parameters, hasWeights: hasWeights),
        price: solution.price, budget: Double(solution.target), spent: solution.spent,
        spentInteger: patterns == nil ? Double(solution.target) : solution.spent, units: all,
        certificate: PlanDocument.Certificate(solution.certificate), inputs: planning.inputs,
        notes: planning.gains.notes + NoiseNote.of(all) + notes)
      plan.predictedLossChanges = answer.lossChanges
      plan.predictedLossChange = answer.lossChanges?[curve.rawValue]
      plan.noiseRegret = uncertainty?.noiseRegret
      return plan
    }
  }

  /// What noise may have decided; only of closed forms made from gains, as damages have no folds.
  /// Collective.
  private func uncertainty(
    of units: [PruningUnit], _ planning: inout PlanningRun,
    over world: borrowing some Collective & ~Copyable
  ) -> PlanUncertainty? {
    guard judgedBy == .gain, patterns == nil, curve.psi != nil else { return nil }
    return PlanUncertainty(
      of: planning.gains, by: quality, plan: units, under: program, search: &planning.search,
      over: world)
  }

  private func parameters(
    _ solution: PruningSolution, _ shared: [String: ParameterValue], hasWeights: Bool
  ) -> [String: ParameterValue] {
    var parameters = shared.merging(asParameters(hasWeights: hasWeights)) { _, new in new }
    parameters["sparsity"] = .number(program.sparsity)
    parameters["total_weights"] = .number(Double(solution.totalWeights))
    parameters["mu"] = .number(solution.mu)
    return parameters
  }

  /// The program's options as resolved, but for the sparsity.
  func asParameters(hasWeights: Bool) -> [String: ParameterValue] {
    var parameters: [String: ParameterValue] = [:]
    parameters["b"] = .number(program.b)
    parameters["kappa"] = .number(curve == .measured ? measuredKappa : program.kappa)
    parameters["psi"] = .text(curve.rawValue)
    parameters["quality"] = .text(judgedBy.rawValue)
    parameters["pattern"] = .text(patterns.map { "\($0)" } ?? "none")
    // Numbers of the curves that were not asked for, of which the predicted losses tell.
    let isMeasured = curve == .measured
    if hasWeights {
      parameters["compared_kappa"] = .number(isMeasured ? program.kappa : measuredKappa)
    }
    let prefix = isMeasured ? "compared_" : ""
    parameters[prefix + "eta"] = .number(program.eta)
    parameters[prefix + "damage"] = .text(program.damage.rawValue)
    parameters[prefix + "depth_prior"] = .number(program.depthPrior)
    return parameters
  }

  /// What a user must know before acting on the plan.
  var notes: [String] {
    if curve == .measured {
      return [
        "the measured curve counts on its own cheapest weights being removed; where apply chose others "
          + "(magnitude, wanda) it was often worse than uniform pruning, so measure it before use"
      ]
    }
    guard judgedBy == .gain else { return [] }
    return [
      "this plan takes what units could still learn (gain) for their quality, not what they would "
        + "lose; it can be worse than uniform pruning, so measure it before use"
    ]
  }
}

extension SlicedGains {
  /// This rank's units of the pruning program: qualities, weights and bounds together.
  func pruningUnits(
    _ qualities: [Double], _ values: UnitValues, _ measured: MeasuredCosts?
  ) -> [PruningUnit] {
    units.indices.map { position in
      let gained = units[position]
      let (lower, upper) = values.bounds(of: gained.unit.name)
      // With a checkpoint it is known that biases are no part of the matrix.
      return PruningUnit(
        index: gained.index, quality: qualities[position],
        weights: measured?.units[position].weights ?? gained.unit.parameters, lower: lower,
        upper: upper)
    }
  }
}
