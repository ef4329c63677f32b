public import Collectives

extension PruningProgram {
  /// Judges on the target qualities the plan that the source qualities give, with shares as they are.
  ///
  /// With ψ = −log(1−ρ) a unit that the plan removes whole (it had no quality at the source) has an
  /// infinite regret if the target gives it any: an error.
  /// Collective. - Complexity: two solutions, and one term per unit.
  public func transferRegret(
    from source: [PruningUnit], to target: [PruningUnit], totalUnits: Int,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> (
    regret: TransferRegret, source: PruningSolution, target: PruningSolution
  ) {
    let made = try solve(source, totalUnits: totalUnits, search: &search, over: world)
    let best = try solve(target, totalUnits: totalUnits, search: &search, over: world)
    search.note(allreduces: 1)
    try agreeOnUnits(source.map(\.index), over: world) { place throws(AllocationError) in
      if psi == .log, made.continuous[place] >= 1, target[place].quality > 0 {
        throw .invalid(
          what: "what the source plan removes", unit: source[place].index,
          value: "all its weights",
          limit:
            "less, as the target gives it a quality of \(target[place].quality) and the log damage "
            + "of losing everything is infinite",
          advice: "set --max below 1, or add --quality-floor")
      }
    }
    // What the bounds of the others leave of the sparsity.
    let ends = search.exactSums(
      [
        source.map { Double($0.weights) * $0.lower }, source.map { Double($0.weights) * $0.upper },
      ], totalTerms: totalUnits, over: world)
    let removed = Double(made.target)
    let terms = source.indices.map { index in
      let unit = target[index]
      let old = PricedPruning(source[index], program: self, totalUnits: totalUnits)
      let new = PricedPruning(unit, program: self, totalUnits: totalUnits)
      let (x, y) = (made.continuous[index], best.continuous[index])
      let lowest = max(unit.lower, unit.upper - max(ends[1] - removed, 0) / new.weights)
      let highest = min(unit.upper, unit.lower + max(removed - ends[0], 0) / new.weights)
      let range = (low: min(lowest, x), high: max(highest, x))
      let cheapest = min(max(new.share(at: made.mu, psi: psi), range.low), range.high)
      let curvature = new.curvatures(psi: psi, low: range.low, high: range.high)
      return TransferTerm(
        source: x, target: y, drift: unit.quality - source[index].quality,
        regret: excess(of: x, over: y, new, mu: best.mu),
        gap: max(excess(of: x, over: cheapest, new, mu: made.mu), 0),
        slopeChange: new.resistance == old.resistance
          ? 0 : (new.resistance - old.resistance) * slope(at: x),
        slope: (new.resistance == 0 ? 0 : new.resistance * slope(at: x))
          - (made.mu + new.prior) * new.weights,
        modulus: curvature.smallest,
        smoothness: curvature.largest,
        room: (below: x - range.low, above: range.high - x))
    }
    // Both plans remove S, where b counts alike; so it is left out of the price here: λ = −μ.
    let regret = TransferRegret(
      terms, spentDifference: best.mu * (made.spent - best.spent),
      sourceSlack: made.mu * (made.spent - best.spent), totalUnits: totalUnits,
      search: &search, over: world)
    return (regret, made, best)
  }

  /// ψ′(ρ).
  private func slope(at share: Double) -> Double {
    psi == .quadratic ? 2 * share : 1 / max(1 - share, 0x1p-53)
  }

  /// r (ψ(x) − ψ(y)) − (μ + τ d) n (x − y) without the cancellation between neighbours.
  private func excess(of x: Double, over y: Double, _ unit: PricedPruning, mu: Double) -> Double {
    let difference = x - y
    let pull = (mu + unit.prior) * unit.weights
    guard unit.resistance > 0 else { return -pull * difference }
    let bend =
      psi == .quadratic
      ? difference * difference : logarithmGap(-difference / max(1 - y, 0x1p-53))
    return unit.resistance * bend + (unit.resistance * slope(at: y) - pull) * difference
  }
}
