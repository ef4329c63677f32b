internal import Collectives

/// What steps a budget buys for the units of this rank.
struct StepPurchase<Worth: StepWorth>: Sendable {
  /// The units with the steps they hold at the end.
  let units: [SteppedCapacity<Worth>]
  /// The steps each would hold if the last one at the price could be bought in part, and what that
  /// would leave of the budget.
  let relaxed: [Double]
  let relaxedLeft: Int128
  /// The price of the first search; nil where no unit could take a step.
  let price: Double?
  /// What is left of the budget, over all ranks.
  let left: Int128
}

extension PriceSearch {
  /// Buys steps for all units of all ranks: priced first, then what the budget still affords.
  ///
  /// 1. The price search over step counts: the smallest λ whose steps fit the budget.
  /// 2. Steps tied at that price are given in unit order. For equal costs this is the exact optimum
  ///    of the integer program.
  /// 3. For unequal costs a step may not fit: its unit leaves, and the search goes on among the
  ///    units whose step is still affordable, at lower and lower prices: a greedy fill by value per
  ///    cost. Each turn retires at least one unit or ends.
  ///
  /// `target` is the budget for all steps, held ones included. Collective.
  /// Postcondition: Σ c x ≤ target in exact fixed-point arithmetic.
  mutating func buySteps<Worth: StepWorth>(
    _ units: [SteppedCapacity<Worth>], target: Int128, floorPrice: Double, totalUnits: Int,
    over world: borrowing some Collective & ~Copyable
  ) -> StepPurchase<Worth> {
    var stepped = units
    var relaxed = units.map { Double($0.held) }
    var left = target - sum([heldCost(of: stepped)], over: world)[0]
    var relaxedLeft = left
    var firstPrice: Double?
    var price = Double.greatestFiniteMagnitude
    let floorKey = OrderedKey.key(of: floorPrice)
    while true {
      let eligible = stepped.filter { $0.isEligible(within: left) }
      let eligibleCount = sum([Int128(eligible.count)], over: world)[0]
      guard eligibleCount > 0, OrderedKey.key(of: price) > floorKey else { break }

      // The smallest price at which what the eligible units add still fits.
      let crossing = firstKey(
        for: .wholeNumbers, of: SlicedDemand(StepDemand(), units: eligible), meeting: left,
        in: floorKey...OrderedKey.key(of: price), over: world)
      price = OrderedKey.value(of: crossing.key)
      let before = OrderedKey.value(of: crossing.key - 1)
      var ties: [FillCandidate] = []
      var tiedPositions: [Int] = []
      for position in stepped.indices where stepped[position].isEligible(within: left) {
        let unit = stepped[position]
        stepped[position].held = max(unit.held, unit.steps(at: price))
        let more = unit.steps(at: before) - stepped[position].held
        if more > 0, crossing.key - 1 > floorKey {
          ties.append(FillCandidate(index: unit.index, amount: Int128(more) * unit.fixedStepCost))
          tiedPositions.append(position)
        }
      }
      left -= crossing.demand

      // Ties at the price, in unit order; the first that does not fit takes what it can.
      let isFirst = firstPrice == nil
      let cut = unitOrderCut(ties, available: left, totalUnits: totalUnits, over: world)
      if isFirst {
        relaxed = stepped.map { Double($0.held) }
        relaxedLeft = cut.end == totalUnits ? cut.remainder : 0
      }
      for (tie, position) in zip(ties, tiedPositions) {
        let affordable = cut.share(of: tie)
        let (whole, rest) = affordable.quotientAndRemainder(
          dividingBy: stepped[position].fixedStepCost)
        stepped[position].held += Int(whole)
        if isFirst {
          relaxed[position] +=
            Double(whole) + Double(rest) / Double(stepped[position].fixedStepCost)
        }
      }
      firstPrice = firstPrice ?? price
      left = target - sum([heldCost(of: stepped)], over: world)[0]
      if crossing.key - 1 == floorKey { break }
    }
    return StepPurchase(
      units: stepped, relaxed: relaxed, relaxedLeft: relaxedLeft, price: firstPrice, left: left)
  }

  private func heldCost<Worth: StepWorth>(of units: [SteppedCapacity<Worth>]) -> Int128 {
    units.reduce(0) { $0 + Int128($1.held) * $1.fixedStepCost }
  }
}
