public import Collectives

/// −Σ c m clip(t, lower, upper) against a common number of steps t, each term at most `saturation`.
private struct CommonSteps: DemandCurve {
  let saturation: Int128

  func point(at key: Int64) -> Int64 { key }

  func term(of unit: SteppedCapacity<SpectrumStepWorth>, at steps: Int64) -> Int128 {
    let held = Int128(unit.clipped(Int(steps)))
    let (cost, overflow) = held.multipliedReportingOverflow(by: unit.fixedStepCost)
    return -(overflow ? saturation : min(cost, saturation))
  }
}

extension SteppedCapacity {
  fileprivate func clipped(_ steps: Int) -> Int { min(max(steps, lower), upper) }
}

extension SpectrumProgram {
  /// The ranks of the same budget without any regard to values: one rank for all, as far as bounds
  /// allow, and one step more for the first units in their order as far as it fits.
  ///
  /// For comparison with `solve`. Collective; throws alike on every rank.
  public func uniformRanks(
    _ units: [SpectrumUnit], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> [Int] {
    var everything = self
    everything.spend = .all
    let scale = FixedPointScale(largest: 4 * budget, terms: totalUnits)
    let target = scale.fixed(budget)
    let stepped = try everything.steppedUnits(
      units, totalUnits: totalUnits, scale: scale, search: &search, over: world)

    // 1. The highest common level that fits: the key before the first that does not.
    let curve = CommonSteps(saturation: 2 * target)
    let top = Int64(search.maximum([Double(stepped.map(\.upper).max() ?? 0)], over: world)[0])
    var demand = SlicedDemand(curve, units: stepped)
    var level = top
    if -search.sum(demand.localSums(at: [top]), over: world)[0] > target {
      level =
        search.firstKey(
          for: .level, of: demand, meeting: -(target + 1), in: -1...top, over: world
        ).key - 1
    }

    // 2. One step more in unit order.
    var held = stepped.map { $0.clipped(Int(level)) }
    let spent = search.sum(
      [zip(stepped, held).reduce(Int128(0)) { $0 + Int128($1.1) * $1.0.fixedStepCost }],
      over: world)[0]
    let wanting = stepped.indices.filter { stepped[$0].clipped(Int(level) + 1) > held[$0] }
    let candidates = wanting.map {
      FillCandidate(index: stepped[$0].index, amount: stepped[$0].fixedStepCost)
    }
    let cut = search.unitOrderCut(
      candidates, available: target - spent, totalUnits: totalUnits, over: world)
    for (candidate, position) in zip(candidates, wanting)
    where cut.share(of: candidate) == candidate.amount {
      held[position] += 1
    }
    return held.map { $0 * step }
  }
}
