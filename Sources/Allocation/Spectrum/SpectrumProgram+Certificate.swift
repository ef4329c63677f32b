internal import Collectives

extension SpectrumProgram {
  /// Checks the answer from scratch. Collective; three allreduces.
  ///
  /// The objective is the loss taken away with its sign turned. The dual value is the Lagrangian's
  /// minimum at the price, so by weak duality no ranks within the bounds and the budget have a lower
  /// objective. `bounds` are the units as they were before anything was bought.
  func certificate(
    _ bought: StepPurchase<SpectrumStepWorth>, bounds: [SteppedCapacity<SpectrumStepWorth>],
    left: Double, integerLeft: Double, totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> Certificate {
    let price = bought.price ?? 0
    let pairs = Array(zip(bounds, bought.relaxed))
    let dualTerms = bounds.map { unit in
      let steps = unit.steps(at: price)
      return price * unit.stepCost * Double(steps) - unit.worth.total(ofFirst: Double(steps))
    }
    let sums = search.exactSums(
      [
        pairs.map { -$0.worth.total(ofFirst: $1) }, dualTerms,
        bought.units.map { -$0.worth.total(ofFirst: Double($0.held)) },
        pairs.map { $1 == Double($0.lower) ? 1 : 0 },
        pairs.map { $1 == Double($0.upper) ? 1 : 0 },
      ], totalTerms: totalUnits, over: world)
    let stationarity = search.maximum(
      [pairs.map { Self.stationarity(of: $0, at: $1, price: price) }.max() ?? 0], over: world)[0]

    let (primal, dual) = (sums[0], sums[1] - price * budget)
    let overspent = left < 0 ? -left : 0
    let complementarity = price > 0 ? abs(price * left) : 0
    return Certificate(
      primal: primal, dual: dual, gap: primal - dual, stationarityResidual: stationarity,
      feasibilityResidual: overspent, complementarityResidual: complementarity,
      kktResidual: max(
        stationarity, overspent / budget,
        complementarity / max(abs(primal), price * budget, .leastNormalMagnitude)),
      budgetLeft: left, integralityGap: sums[2] - dual, integerBudgetLeft: integerLeft,
      unitsAtLower: Int(sums[3]), unitsAtUpper: Int(sums[4]))
  }

  /// How far a unit is from its best answer at the price: the last step it holds should be worth its
  /// cost, the next one should not be worth more; relative to both. 0 where a bound stops the unit.
  private static func stationarity(
    of unit: SteppedCapacity<SpectrumStepWorth>, at steps: Double, price: Double
  ) -> Double {
    let cost = unit.threshold(at: price)
    func excess(_ value: Double, over other: Double) -> Double {
      max(value - other, 0) / max(value + other, .leastNormalMagnitude)
    }
    var residual = 0.0
    let last = Int(steps.rounded(.up)) - 1
    if last >= unit.lower { residual = excess(cost, over: unit.worth.value(ofStep: last)) }
    let next = Int(steps)
    if next < unit.upper {
      residual = max(residual, excess(unit.worth.value(ofStep: next), over: cost))
    }
    return residual
  }
}
