public import Collectives

extension CapacityProgram {
  /// Judges on the target qualities the plan that the source qualities give.
  ///
  /// Both plans are for the same bounds, costs and budget, and for one γ: with `--gamma auto` that of
  /// the source, since γ belongs to the program that the plan was made by.
  /// The constants of both utilities are derived in docs/theory/transfer.md.
  /// Collective. - Complexity: two solutions, and one term per unit.
  public func transferRegret(
    from source: [CapacityUnit], to target: [CapacityUnit], totalUnits: Int,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> (
    regret: TransferRegret, source: CapacitySolution, target: CapacitySolution
  ) {
    let made = try solve(
      source, totalUnits: totalUnits, wholeNumbers: false, search: &search, over: world)
    var fixed = self
    fixed.gamma = .fixed(made.gamma)
    let best = try fixed.solve(
      target, totalUnits: totalUnits, wholeNumbers: false, search: &search, over: world)

    // What the lower bounds of the others leave of the budget.
    let floors = search.exactSums(
      [source.map { $0.cost * $0.lower }], totalTerms: totalUnits, over: world)[0]
    let terms = source.indices.map { index in
      let unit = target[index]
      let (old, new) = (
        PricedCapacity(source[index], program: self, gamma: made.gamma),
        PricedCapacity(unit, program: self, gamma: made.gamma)
      )
      let (x, y) = (made.continuous[index], best.continuous[index])
      let reach = max((budget - floors) / unit.cost, 0) + unit.lower
      let highest = max(min(unit.upper, reach), x)
      let cheapest = min(
        max(new.capacity(at: made.price, along: utilityCurve), unit.lower), highest)
      return TransferTerm(
        source: x, target: y, drift: unit.quality - source[index].quality,
        regret: excess(of: x, over: y, new, price: best.price),
        gap: max(excess(of: x, over: cheapest, new, price: made.price), 0),
        slopeChange: utilityCurve.marginal(old.weight - new.weight, at: x),
        slope: new.runningCost + made.price * new.cost
          - utilityCurve.marginal(new.weight, at: x),
        modulus: new.modulus(highest: highest, along: utilityCurve),
        smoothness: new.modulus(highest: unit.lower, along: utilityCurve),
        room: (below: x - unit.lower, above: highest - x))
    }
    let regret = TransferRegret(
      terms, spentDifference: best.price * (best.spent - made.spent),
      sourceSlack: made.price * (best.spent - made.spent), totalUnits: totalUnits,
      search: &search, over: world)
    return (regret, made, best)
  }

  /// f(x) − f(y) + λ c (x − y) without the cancellation between neighbours.
  private func excess(
    of x: Double, over y: Double, _ unit: PricedCapacity, price: Double
  ) -> Double {
    let difference = x - y
    let slope =
      unit.runningCost + price * unit.cost - utilityCurve.marginal(unit.weight, at: y)
    return slope * difference + utilityCurve.bend(unit.weight, ofStep: difference, from: y)
  }
}
