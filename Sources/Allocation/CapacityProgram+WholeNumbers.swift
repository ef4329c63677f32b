internal import Collectives

extension CapacityProgram {
  /// The whole-number plan: priced first, then what the budget still affords.
  ///
  /// 1. The price search over step counts: the smallest λ whose steps fit the budget.
  /// 2. Steps tied at that price are given in unit order. For equal costs this is the exact optimum
  ///    of the integer program.
  /// 3. For unequal costs a step may not fit: its unit leaves, and the search goes on among the
  ///    units whose step is still affordable, at lower and lower prices: a greedy fill by value per
  ///    cost. Each turn retires at least one unit or ends.
  ///
  /// Collective. Postcondition: Σ c x ≤ B in exact fixed-point arithmetic.
  func wholeNumberAnswer(
    _ units: [CapacityUnit], _ priced: [PricedCapacity], totalUnits: Int, floorPrice: Double,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> CapacityIntegers {
    let scale = FixedPointScale(largest: 4 * budget, terms: totalUnits)
    let target = scale.fixed(budget)
    let demand = StepDemand(count: StepCount(offset: offset, step: Double(step)))
    var stepped = try steppedUnits(
      units, priced, totalUnits: totalUnits, scale: scale, search: &search, over: world)
    var left = target - search.sum([heldCost(of: stepped)], over: world)[0]

    var firstPrice: Double?
    var price = Double.greatestFiniteMagnitude
    while true {
      let eligible = stepped.filter { $0.held < $0.upper && $0.fixedStepCost <= left }
      let eligibleCount = search.sum([Int128(eligible.count)], over: world)[0]
      let floorKey = OrderedKey.key(of: floorPrice)
      guard eligibleCount > 0, OrderedKey.key(of: price) > floorKey else { break }

      // The smallest price at which what the eligible units add still fits.
      let crossing = search.firstKey(
        for: .wholeNumbers, of: SlicedDemand(demand, units: eligible), meeting: left,
        in: floorKey...OrderedKey.key(of: price), over: world)
      price = OrderedKey.value(of: crossing.key)
      firstPrice = firstPrice ?? price
      let before = OrderedKey.value(of: crossing.key - 1)
      var ties: [FillCandidate] = []
      var tiedPositions: [Int] = []
      for position in stepped.indices where stepped[position].isEligible(within: left) {
        let unit = stepped[position]
        stepped[position].held = max(unit.held, demand.count.steps(of: unit, at: price))
        let more = demand.count.steps(of: unit, at: before) - stepped[position].held
        if more > 0, crossing.key - 1 > floorKey {
          ties.append(FillCandidate(index: unit.index, amount: Int128(more) * unit.fixedStepCost))
          tiedPositions.append(position)
        }
      }
      left -= crossing.demand

      // Ties at the price, in unit order; the first that does not fit takes what it can.
      let cut = search.unitOrderCut(ties, available: left, totalUnits: totalUnits, over: world)
      for (tie, position) in zip(ties, tiedPositions) {
        let affordable = cut.share(of: tie)
        stepped[position].held += Int(affordable / stepped[position].fixedStepCost)
      }
      left = target - search.sum([heldCost(of: stepped)], over: world)[0]
      if crossing.key - 1 == floorKey { break }
    }
    return CapacityIntegers(
      values: stepped.map { $0.held * step }, spent: scale.value(target - left),
      price: firstPrice ?? 0)
  }

  private func heldCost(of units: [SteppedCapacity]) -> Int128 {
    units.reduce(0) { $0 + Int128($1.held) * $1.fixedStepCost }
  }

  /// Bounds rounded inwards to whole steps; an infinite upper bound becomes what the budget affords.
  private func steppedUnits(
    _ units: [CapacityUnit], _ priced: [PricedCapacity], totalUnits: Int, scale: FixedPointScale,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> [SteppedCapacity] {
    let step = Double(step)
    func bounds(_ unit: CapacityUnit) throws(AllocationError) -> (Int, Int) {
      let lower = (unit.lower / step).rounded(.up)
      let affordable = (budget / (unit.cost * step)).rounded(.down)
      let upper = min((unit.upper / step).rounded(.down), max(affordable, lower))
      guard affordable < 0x1p53 else {
        throw .invalid(
          what: "the number of steps that the budget affords unit number \(unit.index + 1)",
          value: "\(affordable)", limit: "below 2^53 for whole numbers",
          advice: "raise --multiple-of")
      }
      guard (unit.upper / step).rounded(.down) >= lower else {
        throw .invalid(
          what: "the range \(unit.lower) to \(unit.upper) of unit number \(unit.index + 1)",
          value: "without a multiple of \(self.step)", limit: "a range that holds one",
          advice: "widen --min and --max or lower --multiple-of")
      }
      return (Int(lower), Int(upper))
    }
    try agreeOnUnits(over: world) { () throws(AllocationError) in
      for unit in units { _ = try bounds(unit) }
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
    var stepped: [SteppedCapacity] = []
    for (unit, priced) in zip(units, priced) {
      let (lower, upper) = try bounds(unit)
      let stepCost = unit.cost * step
      stepped.append(
        SteppedCapacity(
          index: unit.index, weight: priced.weight, stepRunningCost: priced.runningCost * step,
          stepCost: stepCost,
          fixedStepCost: scale.fixed(min(stepCost, 2 * budget)), lower: lower, upper: upper,
          held: lower))
    }
    return stepped
  }
}

extension SteppedCapacity {
  /// Whether the unit may take another step and could pay for it.
  fileprivate func isEligible(within left: Int128) -> Bool {
    held < upper && fixedStepCost <= left
  }
}
