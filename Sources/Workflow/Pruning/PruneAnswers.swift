internal import Allocation
internal import Collectives

/// A pruning plan for the units of this rank, before it is written down.
struct PruneAnswer {
  let solution: PruningSolution
  /// Zeros per group of every unit, where patterns were asked for.
  var zeros: [Int]?
  /// Σ s of the weights removed, over all ranks, by this plan and by others at the same sparsity; nil
  /// without a checkpoint.
  var lossChanges: [String: Double]?
}

extension PruneRequest {
  /// The program of the measured curve, which shares sparsity and b with the closed forms.
  var measuredProgram: MeasuredProgram {
    var measured = MeasuredProgram(sparsity: program.sparsity)
    measured.b = program.b
    measured.kappa = measuredKappa
    return measured
  }

  func closedForm(_ psi: PruningProgram.Psi) -> PruningProgram {
    var program = program
    program.psi = psi
    return program
  }

  /// Equal shares as far as bounds allow: ρ² where every unit resists in proportion to its size.
  private var uniformProgram: PruningProgram {
    var uniform = PruningProgram(sparsity: program.sparsity)
    uniform.kappa = 0
    uniform.damage = .perWeight
    return uniform
  }

  /// Any number of weights per unit. With a checkpoint every curve is solved, so that their
  /// predicted losses can be compared. Collective.
  func shareAnswer(
    _ units: [PruningUnit], _ planning: inout PlanningRun,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> PruneAnswer {
    let (owned, totalUnits) = (planning.gains.units, planning.gains.totalUnits)
    guard let measured = planning.measured else {
      let program = closedForm(curve.psi ?? program.psi)
      return PruneAnswer(
        solution: try allocated(among: owned, over: world) { () throws(AllocationError) in
          try program.solve(
            units, totalUnits: totalUnits, search: &planning.search, over: world)
        })
    }

    // 1. The measured curve: the bin of the threshold, then the threshold.
    let program = measuredProgram
    let bins = try program.bins(of: units, measured, over: world)
    let crossing = try allocated(among: owned, over: world) { () throws(AllocationError) in
      try program.crossing(
        units, bins: bins, totalUnits: totalUnits, search: &planning.search, over: world)
    }
    let curves = try program.curves(
      of: units, bins: bins, at: [crossing], measured, over: world)[0]
    let solution = program.solve(
      units, curves: curves, crossing: crossing, totalUnits: totalUnits,
      search: &planning.search, over: world)
    var solutions = [PruningCurve.measured.rawValue: solution]
    var names = [PruningCurve.measured.rawValue]

    // 2. The closed forms and the uniform plan. One that was not asked for and has no answer, as
    //    with qualities that are too large, is left out; all ranks fail alike.
    let closedForms =
      PruningProgram.Psi.allCases.map { ($0.rawValue, closedForm($0)) }
      + [("uniform", uniformProgram)]
    for (name, program) in closedForms {
      let found: PruningSolution
      do throws(AllocationError) {
        found = try program.solve(
          units, totalUnits: totalUnits, search: &planning.search, over: world)
      } catch {
        guard name != curve.rawValue else {
          throw Failure(error, among: owned, over: world)
        }
        continue
      }
      names.append(name)
      solutions[name] = found
    }

    // 3. What each removes, priced by the same measured costs.
    let coarse = measured.units.map { MeasuredCurve(bins: $0.bins) }
    let factors = units.map { program.factor(ofQuality: $0.quality) }
    let losses = names.map { name in
      units.indices.map { position in
        let count = solutions[name]?.integers[position] ?? 0
        // The finer curve is ordered by f s, which is the order of s unless f = 0 makes all equal.
        let isFiner = name == PruningCurve.measured.rawValue || measuredKappa == 0
        return isFiner && factors[position] > 0
          ? curves[position].cost(ofSmallest: count) : coarse[position].cost(ofSmallest: count)
      }
    }
    let sums = planning.search.exactSums(losses, totalTerms: totalUnits, over: world)
    guard let chosen = solutions[curve.rawValue] else {
      preconditionFailure("the curve that was asked for was solved")
    }
    return PruneAnswer(
      solution: chosen, lossChanges: Dictionary(uniqueKeysWithValues: zip(names, sums)))
  }

  /// One of the allowed patterns per unit. Collective.
  func patternAnswer(
    _ units: [PruningUnit], _ patterns: SparsityPatterns, _ planning: inout PlanningRun,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> PruneAnswer {
    let totalUnits = planning.gains.totalUnits
    let measured = planning.measured
    let groups = try groups(of: planning.gains, measured, patterns, over: world)
    var solutions: [String: PatternSolution] = [:]
    var names: [String] = []
    for candidate in PruningCurve.allCases {
      guard measured != nil || candidate == curve else { continue }
      let (program, choices) = patternProgram(
        by: candidate, units, groups: groups, measured, patterns, totalUnits: totalUnits)
      do throws(AllocationError) {
        solutions[candidate.rawValue] = try program.solve(
          choices, totalUnits: totalUnits, search: &planning.search, over: world)
        names.append(candidate.rawValue)
      } catch {
        guard candidate != curve else {
          throw Failure(error, among: planning.gains.units, over: world)
        }
      }
    }
    guard let chosen = solutions[curve.rawValue] else {
      preconditionFailure("the curve that was asked for was solved")
    }
    var answer = PruneAnswer(solution: chosen.solution, zeros: chosen.zeros)
    if let measured {
      let losses = names.map { name in
        zip(measured.units, solutions[name]?.zeros ?? []).map { $0.groupCosts[$1] }
      }
      let sums = planning.search.exactSums(losses, totalTerms: totalUnits, over: world)
      answer.lossChanges = Dictionary(uniqueKeysWithValues: zip(names, sums))
    }
    return answer
  }

  /// Whole groups of M inputs of every unit, from the weights or the scores. Collective.
  func groups(
    of gains: SlicedGains, _ measured: MeasuredCosts?, _ patterns: SparsityPatterns,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [Int] {
    try agreed(over: world) { () throws(Failure) in
      if let measured { return measured.units.map(\.groups) }
      return try gains.units.map { gained throws(Failure) in
        try gained.unit.groups(of: patterns)
      }
    }
  }

  /// The program by one of the curves, and what every pattern costs every unit by it.
  func patternProgram(
    by candidate: PruningCurve, _ units: [PruningUnit], groups: [Int], _ measured: MeasuredCosts?,
    _ patterns: SparsityPatterns, totalUnits: Int
  ) -> (program: PatternProgram, choices: [PatternUnit]) {
    let program = PatternProgram(
      pruning: closedForm(candidate.psi ?? .quadratic), patterns: patterns)
    let choices = units.indices.map { position in
      let unit = units[position]
      let costs =
        if candidate == .measured, let measured {
          patterns.zeros.map {
            measuredProgram.factor(ofQuality: unit.quality)
              * measured.units[position].groupCosts[$0]
          }
        } else {
          program.closedFormCosts(of: unit, groups: groups[position], totalUnits: totalUnits)
        }
      return PatternUnit(unit: unit, groups: groups[position], costs: costs)
    }
    return (program, choices)
  }

  private func allocated<Value>(
    among units: [UnitGain], over world: borrowing some Collective & ~Copyable,
    _ body: () throws(AllocationError) -> Value
  ) throws(Failure) -> Value {
    do throws(AllocationError) { return try body() } catch {
      throw Failure(error, among: units, over: world)
    }
  }
}
