public import Collectives

extension CapacityProgram {
  /// Solves the program over all units of all ranks.
  ///
  /// `units` are this rank's, in the order of their index; `totalUnits` counts those of all ranks.
  /// Collective: every rank calls, also one that owns no unit.
  /// Postcondition: spent ≤ budget, and the next smaller price would overspend (or λ = 0).
  /// The result has the same bits for any number of ranks, slicing and search method.
  /// - Complexity: one allreduce, then 3 to 6 for the price, or 2 to 6 for γ and mostly one more for the
  ///   price, as measured; see docs/theory/price-search.md.
  public func solve(
    _ units: [CapacityUnit], totalUnits: Int, wholeNumbers: Bool, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> CapacitySolution {
    try validate()
    let saturation = 2 * budget
    let scale = FixedPointScale(largest: saturation, terms: totalUnits)
    let target = scale.fixed(budget)
    let weightless = units.map { PricedCapacity($0, program: self, gamma: 1) }
    var bounds = CapacitySetup.Bounds(of: self)
    for unit in weightless { bounds.include(unit) }
    let setup = try bounds.agreed(
      units.map(\.index), search: &search, over: world
    ) { place throws(AllocationError) in
      try units[place].validate(in: self)
    }

    // 1. γ, and the price at which the units' own answers add up to the budget.
    var demand = PriceableCapacity(
      units: weightless, foremost: bounds.foremost.places, curve: utilityCurve,
      saturation: saturation, scale: scale)
    let (gamma, crossing) = price(
      &demand, setup, scale: scale, totalUnits: totalUnits, search: &search, over: world)
    if crossing.demand > target {
      try requireAffordableFloor(units, totalUnits: totalUnits, search: &search, over: world)
    }
    let priced = weightless.map { $0.scaled(by: gamma) }
    let price = OrderedKey.value(of: crossing.key)
    var capacities = priced.map { $0.capacity(at: price, along: utilityCurve) }
    var spent = crossing.demand

    // 2. Units of zero quality ask for all or nothing: at their own price they share what is left.
    if spend == .all {
      let previous = OrderedKey.value(of: crossing.key - 1)
      spent = fillLevel(
        &capacities, priced, jumpingAt: previous, spent: spent, target: target, scale: scale,
        search: &search, over: world)
    }

    // 3. Whole numbers, then the certificate of both.
    var integers: CapacityIntegers?
    if wholeNumbers {
      integers = try wholeNumberAnswer(
        units, priced, totalUnits: totalUnits, floorPrice: lowestPrice(setup), search: &search,
        over: world)
    }
    let (certificate, sensitivities) = certificate(
      priced, capacities: capacities, integers: integers, price: price,
      spent: scale.value(spent), left: scale.value(target - spent), totalUnits: totalUnits,
      search: &search, over: world)
    return CapacitySolution(
      price: price, gamma: gamma, continuous: capacities, spent: scale.value(spent),
      integer: integers, certificate: certificate,
      budgetSensitivities: sensitivities.ofBudget, boundWorths: sensitivities.ofBounds)
  }

  /// A price below which the search need not look.
  private func lowestPrice(_ setup: CapacitySetup) -> Double {
    spend == .all ? setup.priceBelowAllCosts : -.leastNonzeroMagnitude
  }

  /// γ, and the smallest price at which Σ c x is at most the budget, or as low as it gets. Collective.
  func price(
    _ demand: inout PriceableCapacity, _ setup: CapacitySetup, scale: FixedPointScale,
    totalUnits: Int, search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) -> (gamma: Double, crossing: PriceSearch.Crossing) {
    let target = scale.fixed(budget)
    let floor = OrderedKey.key(of: lowestPrice(setup))
    // Below price 0 units without weight jump, those of one a/c together, others one by one.
    let jumps =
      spend == .all && !setup.hasOneRatio
      && 8 * setup.worthless * Double(world.size) >= Double(totalUnits)
    func outlook(gamma: Double) -> SearchOutlook {
      SearchOutlook(
        likely: OrderedKey.binades(below: gamma * setup.highestWorth), totalUnits: totalUnits,
        flight: jumps ? setup.flight : nil, edge: setup.priceEdge)
    }
    var begun: PriceableCapacity.Begun?
    let gamma: Double
    switch self.gamma {
    case .fixed(let fixed): gamma = fixed
    case .automatic:
      // The smallest γ for 1.25 B; if that is more than the units can take, the smallest for all of it.
      let (method, ranks) = (search.method, world.size)
      let found = demand.gamma(
        meeting: -scale.fixed(1.25 * budget),
        outlook: SearchOutlook(
          likely: OrderedKey.binades(above: setup.lowestGamma), totalUnits: totalUnits,
          last: setup.lastGamma > 0 && setup.lastGamma.isFinite
            ? OrderedKey.key(of: setup.lastGamma) : nil, edge: setup.gammaEdge),
        shift: priceShift(setup),
        priceGiven: { gamma, sample in
          var progress = SearchProgress(
            method: method, target: target, bracket: floor...OrderedKey.largestFinite,
            outlook: outlook(gamma: gamma), ranks: ranks)
          progress.sampled = sample?.prices(at: gamma, ratios: setup.ratios)
          return progress
        }, search: &search, over: world)
      gamma = OrderedKey.value(of: found.crossing.key)
      begun = found.price
    }
    let crossing = demand.price(
      at: gamma, meeting: target, above: floor, outlook: outlook(gamma: gamma),
      begun: begun, search: &search, over: world)
    return (gamma, crossing)
  }

  /// λ + a/c grows as γ does, exactly where all a/c are equal.
  private func priceShift(_ setup: CapacitySetup) -> AnswerShift {
    AnswerShift(
      shifted: { price, from, to in
        let (gamma, other) = (OrderedKey.value(of: from), OrderedKey.value(of: to))
        return price + (price + setup.middleRatio) * ((other - gamma) / gamma)
      }, isExact: setup.hasOneRatio,
      grain: { price in
        price == 0 ? 1 : max(((price + setup.middleRatio).ulp / price.ulp), 1)
      })
  }

  /// Gives units that jump from l to u at the final price one common level within the budget.
  /// Returns what is spent then. Collective.
  private func fillLevel(
    _ capacities: inout [Double], _ priced: [PricedCapacity], jumpingAt previousPrice: Double,
    spent: Int128, target: Int128, scale: FixedPointScale, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> Int128 {
    let jumping = priced.indices.filter {
      priced[$0].weight == 0
        && priced[$0].capacity(at: previousPrice, along: utilityCurve) > capacities[$0]
    }
    let fixed = jumping.reduce(Int128(0)) {
      $0 + scale.fixed(priced[$1].cost * capacities[$1])
    }
    let totals = search.sum([fixed, Int128(jumping.count)], over: world)
    guard totals[1] > 0, spent < target else { return spent }

    let curve = LevelDemand(scale: scale, saturation: 2 * budget)
    let units = jumping.map {
      LevelDemand.Unit(cost: priced[$0].cost, low: capacities[$0], high: priced[$0].upper)
    }
    // The first level that overspends; the key before it is the highest that does not.
    let available = target - (spent - totals[0])
    let crossing = search.firstKey(
      for: .level, of: SlicedDemand(curve, units: units), meeting: -(available + 1),
      in: 0...OrderedKey.largestFinite, over: world)
    let level = OrderedKey.value(of: crossing.key - 1)
    for (position, unit) in zip(jumping, units) {
      capacities[position] = min(max(level, unit.low), unit.high)
    }
    let filled = zip(jumping, units).reduce(Int128(0)) {
      $0 + scale.fixed($1.1.cost * capacities[$1.0])
    }
    return spent - totals[0] + search.sum([filled], over: world)[0]
  }
}
