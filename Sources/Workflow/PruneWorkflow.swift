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
    var planning = try PlanningRun(
      command: "prune", source: source, quality: quality, bounds: bounds, cost: .uniform(1),
      search: search, output: output, over: world)
    let units = zip(planning.gains.units, planning.qualities).map { gained, quality in
      let (lower, upper) = planning.values.bounds(of: gained.unit.name)
      return PruningUnit(
        index: gained.index, quality: quality, weights: gained.unit.parameters, lower: lower,
        upper: upper)
    }
    let solution: PruningSolution
    do throws(AllocationError) {
      solution = try program.solve(
        units, totalUnits: planning.gains.totalUnits, search: &planning.search, over: world)
    } catch {
      throw Failure(error)
    }
    let planned = planning.gains.units.enumerated().map { position, gained in
      let unit = units[position]
      return PlanDocument.Unit(
        name: gained.unit.name, gain: gained.unit.gain,
        standardError: gained.unit.standardError, predictedNoise: gained.unit.predictedNoise,
        quality: unit.quality,
        continuous: solution.continuous[position], integer: solution.integers[position],
        lower: unit.lower, upper: unit.upper, cost: nil, weights: unit.weights,
        modules: gained.unit.modules.isEmpty ? nil : gained.unit.modules)
    }
    return try planning.finish(planned, over: world) { all in
      PlanDocument(
        program: .pruning, parameters: parameters(solution, planning.parameters),
        price: solution.price, budget: Double(solution.target), spent: solution.spent,
        spentInteger: Double(solution.target), units: all,
        certificate: PlanDocument.Certificate(solution.certificate), inputs: planning.inputs,
        notes: planning.gains.notes + NoiseNote.of(all) + notes)
    }
  }

  private func parameters(
    _ solution: PruningSolution, _ shared: [String: ParameterValue]
  ) -> [String: ParameterValue] {
    var parameters = shared
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
