public import Allocation
public import Collectives
public import PlanFiles

/// `layerbudget prune`: gains in, a pruning plan out.
public struct PruneRequest: Sendable {
  public var source: GainSource
  public var quality = QualityRule()
  public var program: PruningProgram
  public var bounds = BoundsRequest(maximum: 1)
  public var search = PriceSearch.Method.accelerated
  public var output: String

  public init(source: GainSource, program: PruningProgram, output: String) {
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
    let record = RunRecord(command: "prune")
    let output = OutputDocuments(path: output)
    try output.requireWritable(over: world)
    let bounds = bounds
    let values = try agreed(over: world) { () throws(Failure) in
      try UnitValues(bounds: bounds, cost: .uniform(1))
    }
    let gains = try source.gains(over: world)
    try values.requireKnownUnits(gains, over: world)

    // Qualities and prices: from here on only numbers, a few per unit.
    let clock = ContinuousClock()
    let start = clock.now
    var search = PriceSearch(method: search)
    let qualities = try quality.qualities(of: gains, search: &search, over: world)
    let units = zip(gains.units, qualities).map { gained, quality in
      let (lower, upper) = values.bounds(of: gained.unit.name)
      return PruningUnit(
        index: gained.index, quality: quality, weights: gained.unit.parameters, lower: lower,
        upper: upper)
    }
    let solution: PruningSolution
    do throws(AllocationError) {
      solution = try program.solve(
        units, totalUnits: gains.totalUnits, search: &search, over: world)
    } catch {
      throw Failure(error)
    }
    let searchSeconds = start.duration(to: clock.now).inSeconds

    // The plan.
    let planned = gains.units.enumerated().map { position, gained in
      let unit = units[position]
      return IndexedUnit(
        index: gained.index,
        unit: PlanDocument.Unit(
          name: gained.unit.name, gain: gained.unit.gain, quality: unit.quality,
          continuous: solution.continuous[position], integer: solution.integers[position],
          lower: unit.lower, upper: unit.upper, cost: nil, weights: unit.weights))
    }
    let all = try gatherUnits(planned, over: world)
    let run = try record.finish(
      slice: gains.slice, scoringSeconds: gains.seconds, searchSeconds: searchSeconds,
      search: search, over: world)
    guard let run else {
      try output.write(nil as PlanDocument?, run: nil, over: world)
      return nil
    }
    let plan = PlanDocument(
      program: .pruning, parameters: parameters(solution, gains, values), price: solution.price,
      budget: Double(solution.target), spent: solution.spent,
      spentInteger: Double(solution.target), units: all,
      certificate: PlanDocument.Certificate(solution.certificate),
      inputs: gains.inputs.merging(values.inputs) { own, _ in own }, notes: gains.notes + notes)
    try output.write(plan, run: run, over: world)
    return (plan, run)
  }

  private func parameters(
    _ solution: PruningSolution, _ gains: SlicedGains, _ values: UnitValues
  ) -> [String: ParameterValue] {
    var parameters = gains.parameters
    parameters.merge(quality.asParameters) { _, new in new }
    parameters.merge(values.asParameters) { _, new in new }
    parameters["sparsity"] = .number(program.sparsity)
    parameters["total_weights"] = .number(Double(solution.totalWeights))
    parameters["b"] = .number(program.b)
    parameters["eta"] = .number(program.eta)
    parameters["kappa"] = .number(program.kappa)
    parameters["psi"] = .text(program.psi.rawValue)
    parameters["damage"] = .text(program.damage.rawValue)
    parameters["depth_prior"] = .number(program.depthPrior)
    parameters["mu"] = .number(solution.mu)
    return parameters
  }

  /// What a user must know before acting on the plan.
  private var notes: [String] {
    [
      "this plan takes what units could still learn (gain) for their quality, not what they would "
        + "lose; it can be worse than uniform pruning, so measure it before use"
    ]
  }
}
