internal import Allocation
internal import Collectives
internal import PlanFiles

extension SweepRequest {
  /// Points of any curve, with or without patterns. Collective.
  func pruningPoints(
    _ request: PruneRequest, _ sparsities: [Double], _ shared: SweepUnits,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> SweepPoints {
    let units = shared.gains.pruningUnits(shared.qualities, shared.values, shared.measured)
    let solved =
      if let patterns = request.patterns {
        try patternPoints(
          request, patterns, sparsities, units, shared, search: &search, over: world)
      } else if request.curve == .measured, let measured = shared.measured {
        try measuredPoints(
          request.measuredProgram, sparsities, units, measured, of: shared.gains,
          search: &search, over: world)
      } else {
        try closedFormPoints(
          request.closedForm(request.curve.psi ?? request.program.psi), sparsities, units,
          of: shared.gains, search: &search, over: world)
      }
    return SweepPoints(
      kind: .pruning,
      units: zip(shared.gains.units, units).map { gained, unit in
        SweepDocument.Unit(
          name: gained.unit.name, quality: unit.quality, lower: unit.lower, upper: unit.upper,
          cost: nil, weights: unit.weights, continuous: [], integer: nil)
      }, solved: solved,
      parameters: request.asParameters(hasWeights: shared.measured != nil), notes: request.notes)
  }

  private func closedFormPoints(
    _ program: PruningProgram, _ sparsities: [Double], _ units: [PruningUnit],
    of gains: SlicedGains, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [SweepPoints.Solved] {
    let totalUnits = gains.totalUnits
    return try Self.solvedTogether(sparsities, of: gains, search: &search, over: world) {
      sparsity, search, joint throws(AllocationError) in
      var program = program
      program.sparsity = sparsity
      let solution = try program.solve(units, totalUnits: totalUnits, search: &search, over: joint)
      return SweepPoints.Solved(solution, sparsity: sparsity)
    }
  }

  /// Both passes over the weights serve all sparsities: the first is the same for each, and the
  /// second looks at the bins of all.
  private func measuredPoints(
    _ program: MeasuredProgram, _ sparsities: [Double], _ units: [PruningUnit],
    _ measured: MeasuredCosts, of gains: SlicedGains, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [SweepPoints.Solved] {
    let totalUnits = gains.totalUnits
    let programs = sparsities.map { sparsity in
      var program = program
      program.sparsity = sparsity
      return program
    }
    let bins = try program.bins(of: units, measured, over: world)
    let crossings = try Self.solvedTogether(programs, of: gains, search: &search, over: world) {
      program, search, joint throws(AllocationError) in
      try program.crossing(units, bins: bins, totalUnits: totalUnits, search: &search, over: joint)
    }
    let curves = try program.curves(of: units, bins: bins, at: crossings, measured, over: world)
    return try Self.solvedTogether(
      Array(zip(programs, zip(crossings, curves))), of: gains, search: &search, over: world
    ) { point, search, joint throws(AllocationError) in
      let (program, (crossing, curves)) = point
      let solution = program.solve(
        units, curves: curves, crossing: crossing, totalUnits: totalUnits, search: &search,
        over: joint)
      return SweepPoints.Solved(solution, sparsity: program.sparsity)
    }
  }

  private func patternPoints(
    _ request: PruneRequest, _ patterns: SparsityPatterns, _ sparsities: [Double],
    _ units: [PruningUnit], _ shared: SweepUnits, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [SweepPoints.Solved] {
    let totalUnits = shared.gains.totalUnits
    let groups = try request.groups(of: shared.gains, shared.measured, patterns, over: world)
    let (program, choices) = request.patternProgram(
      by: request.curve, units, groups: groups, shared.measured, patterns, totalUnits: totalUnits)
    return try Self.solvedTogether(sparsities, of: shared.gains, search: &search, over: world) {
      sparsity, search, joint throws(AllocationError) in
      var program = program
      program.pruning.sparsity = sparsity
      let found = try program.solve(choices, totalUnits: totalUnits, search: &search, over: joint)
      var solved = SweepPoints.Solved(
        found.solution, sparsity: sparsity, spentInteger: found.solution.spent)
      solved.pattern = found.zeros.map(patterns.text)
      return solved
    }
  }
}

extension SweepPoints.Solved {
  fileprivate init(_ solution: PruningSolution, sparsity: Double, spentInteger: Double? = nil) {
    self.init(
      point: SweepDocument.Point(
        budget: Double(solution.target), sparsity: sparsity, price: solution.price, gamma: nil,
        spent: solution.spent, spentInteger: spentInteger ?? Double(solution.target),
        certificate: PlanDocument.Certificate(solution.certificate)),
      continuous: solution.continuous, integer: solution.integers)
  }
}
