internal import Collectives

extension CapacityProgram {
  /// The whole-number plan; see `PriceSearch.buySteps`. Collective.
  func wholeNumberAnswer(
    _ units: [CapacityUnit], _ priced: [PricedCapacity], totalUnits: Int, floorPrice: Double,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> CapacityIntegers {
    let scale = FixedPointScale(largest: 4 * budget, terms: totalUnits)
    let target = scale.fixed(budget)
    let stepped = try steppedUnits(
      units, priced, totalUnits: totalUnits, scale: scale, search: &search, over: world)
    let bought = search.buySteps(
      stepped, target: target, floorPrice: floorPrice, totalUnits: totalUnits, over: world)
    return CapacityIntegers(
      values: bought.units.map { $0.held * step }, spent: scale.value(target - bought.left),
      price: bought.price ?? 0)
  }

  /// Bounds rounded inwards to whole steps; an infinite upper bound becomes what the budget affords.
  private func steppedUnits(
    _ units: [CapacityUnit], _ priced: [PricedCapacity], totalUnits: Int, scale: FixedPointScale,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> [SteppedCapacity<UtilityStepWorth>] {
    let step = Double(step)
    func bounds(_ unit: CapacityUnit) throws(AllocationError) -> (Int, Int) {
      let lower = (unit.lower / step).rounded(.up)
      let affordable = (budget / (unit.cost * step)).rounded(.down)
      let upper = min((unit.upper / step).rounded(.down), max(affordable, lower))
      guard affordable < 0x1p53 else {
        throw .invalid(
          what: "the number of affordable steps", unit: unit.index, value: "\(affordable)",
          limit: "below 2^53 for whole numbers",
          advice: "raise --multiple-of")
      }
      guard (unit.upper / step).rounded(.down) >= lower else {
        throw .invalid(
          what: "the range \(unit.lower) to \(unit.upper)", unit: unit.index,
          value: "without a multiple of \(self.step)", limit: "a range that holds one",
          advice: "widen --min and --max or lower --multiple-of")
      }
      return (Int(lower), Int(upper))
    }
    search.note(allreduces: 1)
    try agreeOnUnits(units.map(\.index), over: world) { place throws(AllocationError) in
      _ = try bounds(units[place])
    }
    let floors = search.exactSums(
      [units.map { $0.cost * ($0.lower / step).rounded(.up) * step }], totalTerms: totalUnits,
      over: world)[0]
    guard floors <= budget else {
      throw .infeasible(
        what: "the whole-number budget", value: "\(budget)",
        nearest: "the lower bounds, rounded up to multiples of \(self.step), cost \(floors)",
        advice: "raise --budget or lower --min")
    }
    var stepped: [SteppedCapacity<UtilityStepWorth>] = []
    for (unit, priced) in zip(units, priced) {
      let (lower, upper) = try bounds(unit)
      let stepCost = unit.cost * step
      stepped.append(
        SteppedCapacity(
          index: unit.index,
          worth: UtilityStepWorth(weight: priced.weight, curve: utilityCurve, step: step),
          stepRunningCost: priced.runningCost * step, stepCost: stepCost,
          fixedStepCost: scale.fixed(min(stepCost, 2 * budget)), lower: lower, upper: upper,
          held: lower))
    }
    return stepped
  }
}
