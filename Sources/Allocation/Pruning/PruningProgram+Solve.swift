public import Collectives

extension PruningProgram {
  /// Solves the program over all units of all ranks.
  ///
  /// `units` are this rank's, in the order of their index; `totalUnits` counts those of all ranks.
  /// Collective: every rank calls, also one that owns no unit.
  /// Postconditions: Σ n ρ ≥ S and the next smaller μ would miss S; Σ z = S exactly, z within the
  /// bounds, and |z − n ρ| < 1 unless the bounds themselves leave no such choice.
  /// The result has the same bits for any number of ranks, slicing and search method.
  public func solve(
    _ units: [PruningUnit], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> PruningSolution {
    try validate()
    let target = try requireFeasible(units, totalUnits: totalUnits, search: &search, over: world)
    let scale = FixedPointScale(largest: Double(target.totalWeights), terms: totalUnits)
    let removed = scale.fixed(Double(target.removed))
    let priced = units.map { PricedPruning($0, program: self, totalUnits: totalUnits) }

    // 1. The smallest μ at which the units' own answers add up to S.
    let lowest = -max(abs(depthPrior), .leastNonzeroMagnitude)
    let crossing = searchedDrive(
      priced, target, scale: scale, removed: removed, above: OrderedKey.key(of: lowest) - 1,
      totalUnits: totalUnits, search: &search, over: world)
    let mu = OrderedKey.value(of: crossing.key)
    var shares = priced.map { $0.share(at: mu, psi: psi) }

    // 2. Units of zero resistance jump from lo to hi at one μ: there they share what is missing.
    var spent = -crossing.demand
    spent = levelJumpingUnits(
      &shares, priced, before: OrderedKey.value(of: crossing.key - 1), spent: spent,
      removed: removed, scale: scale, search: &search, over: world)

    // 3. Whole numbers of weights, then the certificate.
    let integers = wholeNumbers(
      units, priced, shares: shares, target: target, totalUnits: totalUnits, search: &search,
      over: world)
    let (certificate, sensitivities) = certificate(
      priced, shares: shares, integers: integers, mu: mu, left: scale.value(removed - spent),
      target: target, totalUnits: totalUnits, search: &search, over: world)
    return PruningSolution(
      price: b - mu, mu: mu, target: target.removed, totalWeights: target.totalWeights,
      continuous: shares, integers: integers, spent: scale.value(spent), certificate: certificate,
      budgetSensitivities: sensitivities.ofBudget, boundWorths: sensitivities.ofBounds)
  }

  /// The smallest μ whose key is above `floor` at which Σ n ρ reaches S: by columns where the scale is
  /// in the range of their arithmetic, which gives the same bits. Collective.
  private func searchedDrive(
    _ priced: [PricedPruning], _ target: PruningTarget, scale: FixedPointScale, removed: Int128,
    above floor: Int64, totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> PriceSearch.Crossing {
    let bracket = floor...OrderedKey.largestFinite
    let outlook = SearchOutlook(likely: target.likely, totalUnits: totalUnits)
    guard let cutter = LimbCutter(largest: Double(target.totalWeights), scale: scale) else {
      return search.firstKey(
        for: .price, of: SlicedDemand(PruningDemand(scale: scale, psi: psi), units: priced),
        meeting: -removed, in: bracket, outlook: outlook, over: world)
    }
    let columns = UnitColumns(priced)
    switch psi {
    case .quadratic:
      return search.firstKey(
        for: .price,
        of: ColumnDemand(QuadraticFormula(), cutter: cutter, sign: -1, columns: columns),
        meeting: -removed, in: bracket, outlook: outlook, over: world)
    case .log:
      return search.firstKey(
        for: .price, of: ColumnDemand(LogFormula(), cutter: cutter, sign: -1, columns: columns),
        meeting: -removed, in: bracket, outlook: outlook, over: world)
    }
  }

  /// Where the price of zero-resistance units is the final one, finds the lowest common share at
  /// which S is met. Returns Σ n ρ then. Collective.
  private func levelJumpingUnits(
    _ shares: inout [Double], _ priced: [PricedPruning], before mu: Double, spent: Int128,
    removed: Int128, scale: FixedPointScale, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> Int128 {
    let jumping = priced.indices.filter {
      priced[$0].resistance == 0 && priced[$0].share(at: mu, psi: psi) < shares[$0]
    }
    let units = jumping.map {
      LevelDemand.Unit(cost: priced[$0].weights, low: priced[$0].lower, high: priced[$0].upper)
    }
    let highest = zip(jumping, units).reduce(Int128(0)) {
      $0 + scale.fixed($1.1.cost * shares[$1.0])
    }
    let totals = search.sum([Int128(jumping.count), highest], over: world)
    guard totals[0] > 0, spent > removed else { return spent }
    let others = spent - totals[1]
    let curve = LevelDemand(scale: scale, saturation: .greatestFiniteMagnitude)
    let crossing = search.firstKey(
      for: .level, of: SlicedDemand(curve, units: units), meeting: -(removed - others),
      in: -1...OrderedKey.key(of: 1), over: world)
    let level = OrderedKey.value(of: crossing.key)
    for (position, unit) in zip(jumping, units) {
      shares[position] = min(max(level, unit.low), unit.high)
    }
    return others - crossing.demand
  }
}

extension UnitColumns {
  /// The columns of `QuadraticFormula` and `LogFormula`.
  init(_ units: [PricedPruning]) {
    self.init(filler: .unprunable, capacity: units.count)
    for start in stride(from: 0, to: units.count, by: 4) {
      var group = LaneGroup.unprunable
      let count = min(4, units.count - start)
      for lane in 0..<count {
        let unit = units[start + lane]
        group.first[lane] = unit.weights
        group.second[lane] = unit.resistance
        group.third[lane] = unit.prior
        group.lower[lane] = unit.lower
        group.upper[lane] = unit.upper
      }
      append(group, count: count)
    }
  }
}
