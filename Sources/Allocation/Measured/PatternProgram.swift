public import Collectives

/// The pruning program where every unit takes one of the allowed N:M patterns.
///
///     min Σ cost_k(j_k)   subject to   Σ j_k groups_k ≤ S,   as close to S as steps of units allow
///
/// The costs are those of the closed forms at the pattern's share, or measured ones; either way each
/// unit's steps from pattern to pattern have a cost per weight, and the same price search takes
/// them in this order (docs/theory/programs.md).
public struct PatternProgram: Sendable, Equatable {
  /// Sparsity and b; the bounds are checked by it.
  public var pruning: PruningProgram
  public var patterns: SparsityPatterns

  public init(pruning: PruningProgram, patterns: SparsityPatterns) {
    self.pruning = pruning
    self.patterns = patterns
  }

  /// Σ costs of the closed form at every allowed pattern: r ψ(ρ) − τ d n ρ.
  public func closedFormCosts(
    of unit: PruningUnit, groups: Int, totalUnits: Int
  ) -> [Double] {
    let priced = PricedPruning(unit, program: pruning, totalUnits: totalUnits)
    return patterns.zeros.map { zeros in
      let removed = Double(zeros * groups)
      return pruning.damage(priced, share: removed / priced.weights) - priced.prior * removed
    }
  }

  /// Solves the program over all units of all ranks.
  ///
  /// Postconditions: Σ z ≤ S; the step of the next unit that was not taken would exceed S; no other
  /// choice that removes as many weights costs less, up to rounding. Steps of equal cost per weight
  /// are taken in unit order.
  /// Collective. The result has the same bits for any number of ranks, slicing and search method.
  /// - Complexity: a search, at most one more for ties, and a few allreduces.
  public func solve(
    _ units: [PatternUnit], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> PatternSolution {
    try pruning.validate()
    let target = try pruning.requireFeasible(
      units.map(\.unit), totalUnits: totalUnits, search: &search, over: world)
    let (hulls, isAll) = try hulls(
      units, target: target, totalUnits: totalUnits, search: &search, over: world)

    // 1. The first price at which the units' own answers exceed S; the steps below it are taken.
    var taken = hulls.map { $0.corners.count - 1 }
    var key: Int64?
    if isAll {
      let last = search.maximum(
        [hulls.compactMap { $0.stepKeys.last.map(OrderedKey.value) }.max() ?? 0], over: world)[0]
      key = OrderedKey.key(of: last)
    } else {
      let crossing = search.firstKey(
        for: .price, of: SlicedDemand(HullDemand(), units: hulls),
        meeting: -Int128(target.removed + 1),
        in: (-OrderedKey.largestFinite - 1)...OrderedKey.largestFinite, over: world)
      key = crossing.key
      taken = takeTies(
        hulls, at: crossing.key, target: target, totalUnits: totalUnits, search: &search,
        over: world)
    }

    // 2. What it comes to, and the certificate.
    let mu = key.map(OrderedKey.value) ?? 0
    let chosen = zip(hulls, taken).map { $0.corners[$1] }
    let removed = search.sum(
      [chosen.reduce(0) { $0 + Int128($1.removed) }], over: world)[0]
    let certificate = certificate(
      units, hulls, chosen, mu: mu, removed: Int(removed), target: target, totalUnits: totalUnits,
      search: &search, over: world)
    let solution = PruningSolution(
      price: pruning.b - mu, mu: mu, target: target.removed, totalWeights: target.totalWeights,
      continuous: zip(units, chosen).map { $0.unit.share(ofCount: $1.removed) },
      integers: chosen.map(\.removed), spent: Double(Int(removed)), certificate: certificate)
    return PatternSolution(solution: solution, zeros: chosen.map(\.zeros))
  }

  /// The corner of every unit after the steps below `key`, and those at it in unit order as far as
  /// they fit. Collective.
  private func takeTies(
    _ hulls: [PatternHull], at key: Int64, target: PruningTarget, totalUnits: Int,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) -> [Int] {
    var taken = hulls.map { $0.corner(at: key - 1) }
    let reached = search.sum(
      [zip(hulls, taken).reduce(0) { $0 + Int128($1.0.corners[$1.1].removed) }], over: world)[0]
    let ties = zip(hulls, taken).map { hull, corner in
      FillCandidate(
        index: hull.index,
        amount: Int128(hull.corners[hull.corner(at: key)].removed - hull.corners[corner].removed))
    }
    let cut = search.unitOrderCut(
      ties.filter { $0.amount > 0 }, available: Int128(target.removed) - reached,
      totalUnits: totalUnits, over: world)
    for (position, hull) in hulls.enumerated() where ties[position].amount > 0 {
      // Where the steps of one unit tie among themselves, as many of them as fit.
      let share = cut.share(of: ties[position])
      let start = Int128(hull.corners[taken[position]].removed)
      let end = hull.corner(at: key)
      while taken[position] < end,
        Int128(hull.corners[taken[position] + 1].removed) - start <= share
      { taken[position] += 1 }
    }
    return taken
  }
}

/// The answer over N:M patterns for the units of this rank.
public struct PatternSolution: Sendable, Equatable {
  /// Its `integers` are the weights that the patterns remove; `spent`, their sum over all ranks, may
  /// be less than `target`.
  public let solution: PruningSolution
  /// The zeros of every group of M, per unit.
  public let zeros: [Int]
}
