internal import Collectives

extension PatternProgram {
  /// The hulls of this rank's units, once every unit has an allowed pattern and the patterns can
  /// reach the sparsity; and whether only all of the largest do.
  /// Collective; throws alike on every rank.
  func hulls(
    _ units: [PatternUnit], target: PruningTarget, totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> (hulls: [PatternHull], isAll: Bool) {
    var hulls: [PatternHull] = []
    search.note(allreduces: 1)
    try agreeOnUnits(units.map(\.unit.index), over: world) { place throws(AllocationError) in
      let unit = units[place].unit
      let choices = units[place].choices(among: patterns)
      guard !choices.isEmpty else {
        throw .invalid(
          what: "the range of shares", unit: unit.index, value: "\(unit.lower) ... \(unit.upper)",
          limit: "a range that holds what one of the patterns \(patterns) removes",
          advice: "see --min, --max, --bounds and --pattern")
      }
      if let cost = choices.first(where: { !$0.cost.isFinite }) {
        throw .invalid(
          what: "the cost of pattern \(patterns.text(of: cost.zeros))", unit: unit.index,
          value: "\(cost.cost)", limit: "finite",
          advice: "check the weights and the curvature, or lower --kappa")
      }
      hulls.append(PatternHull(index: unit.index, choices))
    }
    let ends = search.sum(
      [
        hulls.reduce(0) { $0 + Int128($1.corners[0].removed) },
        hulls.reduce(0) { $0 + Int128($1.corners[$1.corners.count - 1].removed) },
      ], over: world)
    let wanted = Int128(target.removed)
    guard wanted >= ends[0], wanted <= ends[1] else {
      let nearest = Double(Int(wanted < ends[0] ? ends[0] : ends[1])) / Double(target.totalWeights)
      throw .infeasible(
        what: "sparsity", value: "\(pruning.sparsity)",
        nearest: "the nearest that the patterns \(patterns) reach within the bounds is \(nearest)",
        advice: "change --sparsity, or allow more in --pattern, --min and --max")
    }
    return (hulls, wanted == ends[1])
  }

  /// Checks the answer from scratch: the Lagrangian's minimum at μ, plus μ per weight removed, bounds
  /// the cost of every choice that removes as many weights. Collective; two allreduces.
  func certificate(
    _ units: [PatternUnit], _ hulls: [PatternHull], _ chosen: [PatternHull.Choice], mu: Double,
    removed: Int, target: PruningTarget, totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> Certificate {
    func lagrangian(_ choice: PatternHull.Choice) -> Double {
      choice.cost - mu * Double(choice.removed)
    }
    let sums = search.exactSums(
      [
        chosen.map(\.cost),
        units.map { unit in
          unit.choices(among: patterns).map(lagrangian).min() ?? 0
        },
        zip(hulls, chosen).map { $0.corners.first == $1 ? 1 : 0 },
        zip(hulls, chosen).map { $0.corners.last == $1 ? 1 : 0 },
      ], totalTerms: totalUnits, over: world)
    let dual = sums[1] + mu * Double(removed)
    let gap = sums[0] - dual
    let left = Double(target.removed - removed)
    return Certificate(
      primal: sums[0], dual: dual, gap: gap, stationarityResidual: 0, feasibilityResidual: 0,
      complementarityResidual: 0,
      kktResidual: gap == 0
        ? 0 : abs(gap) / max(abs(sums[0]), abs(mu) * Double(max(target.removed, 1))),
      budgetLeft: left, integralityGap: gap, integerBudgetLeft: left, unitsAtLower: Int(sums[2]),
      unitsAtUpper: Int(sums[3]))
  }
}
