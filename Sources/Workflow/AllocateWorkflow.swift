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
    let record = RunRecord(command: "allocate")
    let output = OutputDocuments(path: output)
    try output.requireWritable(over: world)
    let (bounds, cost) = (bounds, cost)
    let values = try agreed(over: world) { () throws(Failure) in
      try UnitValues(bounds: bounds, cost: cost)
    }
    let gains = try source.gains(over: world)
    try values.requireKnownUnits(gains, over: world)

    // Qualities and prices: from here on only numbers, a few per unit.
    let clock = ContinuousClock()
    let start = clock.now
    var search = PriceSearch(method: search)
    let qualities = try quality.qualities(of: gains, search: &search, over: world)
    let units = try agreed(over: world) { () throws(Failure) in
      try capacityUnits(gains, qualities, values)
    }
    let solution: CapacitySolution
    do throws(AllocationError) {
      solution = try program.solve(
        units, totalUnits: gains.totalUnits, wholeNumbers: wholeNumbers, search: &search,
        over: world)
    } catch {
      throw Failure(error)
    }
    let searchSeconds = start.duration(to: clock.now).inSeconds

    // The plan.
    var planned: [IndexedUnit<PlanDocument.Unit>] = []
    for (position, gained) in gains.units.enumerated() {
      let unit = units[position]
      planned.append(
        IndexedUnit(
          index: gained.index,
          unit: PlanDocument.Unit(
            name: gained.unit.name, gain: gained.unit.gain, quality: unit.quality,
            continuous: solution.continuous[position],
            integer: solution.integer?.values[position], lower: unit.lower, upper: unit.upper,
            cost: unit.cost, weights: nil)))
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
      program: .capacity, parameters: parameters(solution, gains, values), price: solution.price,
      budget: program.budget, spent: solution.spent, spentInteger: solution.integer?.spent,
      units: all, certificate: PlanDocument.Certificate(solution.certificate),
      inputs: gains.inputs.merging(values.inputs) { own, _ in own },
      notes: gains.notes + notes(solution))
    try output.write(plan, run: run, over: world)
    return (plan, run)
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
    _ solution: CapacitySolution, _ gains: SlicedGains, _ values: UnitValues
  ) -> [String: ParameterValue] {
    var parameters = gains.parameters
    parameters.merge(quality.asParameters) { _, new in new }
    parameters.merge(values.asParameters) { _, new in new }
    parameters["alpha"] = .number(program.alpha)
    parameters["alpha_per"] = .text(program.alphaPer.rawValue)
    parameters["beta"] = .number(program.beta)
    parameters["gamma"] = .number(solution.gamma)
    parameters["gamma_rule"] = .text(program.gamma == .automatic ? "auto" : "fixed")
    parameters["offset"] = .number(program.offset)
    parameters["utility"] = .text("log")
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

extension UnitValues {
  /// Refuses tables with names that no unit of any rank has. Collective.
  func requireKnownUnits(
    _ gains: SlicedGains, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    guard !inputs.isEmpty else { return }
    try requireSameInput(checksum, what: "the tables of bounds and costs", over: world)
    let names = gains.units.map { IndexedUnit(index: $0.index, unit: $0.unit.name) }
    let all = Set(try gatherUnits(names, over: world))
    try agreed(over: world) { () throws(Failure) in
      if world.rank == 0 { try requireKnown(all) }
    }
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
