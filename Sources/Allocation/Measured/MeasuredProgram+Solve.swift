public import Collectives

extension MeasuredProgram {
  /// After the first pass: the bin in which the threshold lies.
  ///
  /// `units` are this rank's, in the order of their index, `bins` their histograms by the keys of
  /// f s. Collective: every rank calls; throws alike on every rank when the bounds cannot reach the
  /// sparsity.
  /// - Complexity: O(places), 3 allreduces for the checks and one of 2¹⁶ counts.
  public func crossing(
    _ units: [PruningUnit], bins: [CostHistogram], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> MeasuredCrossing {
    try constraints.validate()
    let target = try constraints.requireFeasible(
      units, totalUnits: totalUnits, search: &search, over: world)
    let demand = ClippedCounts(
      units: units, before: units.map { _ in 0 }, histograms: bins, places: CostKey.bins)
    let first = search.firstPlace(
      of: demand.increments, from: demand.base, reaching: Int128(target.removed), over: world)
    return MeasuredCrossing(bin: first?.place, target: target)
  }

  /// After the second pass: threshold, whole numbers and certificate.
  ///
  /// Postconditions: Σ z = S exactly, z within the whole-number bounds, and every weight below the
  /// threshold is counted, none above it, except where a bound says otherwise. Weights tied at the
  /// threshold, equal in 31 bits, are spread evenly over the units.
  /// Collective. The result has the same bits for any number of ranks and slicing.
  /// - Complexity: O(places), one allreduce of 2¹⁵ counts, a few small ones.
  public func solve(
    _ units: [PruningUnit], curves: [MeasuredCurve], crossing: MeasuredCrossing, totalUnits: Int,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) -> PruningSolution {
    let target = crossing.target

    // 1. The smallest key at which the clipped counts reach S.
    var below = units.map(\.wholeBounds.lower)
    var counts = below
    var mu = 0.0
    if let bin = crossing.bin {
      let demand = ClippedCounts(
        units: units, before: curves.map { $0.count(below: 0) }, histograms: curves.map(\.keys),
        places: CostKey.keysOfBin)
      guard
        let threshold = search.firstPlace(
          of: demand.increments, from: demand.base, reaching: Int128(target.removed), over: world)
      else { preconditionFailure("the bins before the crossing reach less than S") }
      mu = CostKey.cost(of: bin << 15 | threshold.place)

      // 2. All weights below it, and the same number of ties from every unit.
      below = zip(units, curves).map { $0.clipped($1.count(below: threshold.place)) }
      let room = units.indices.map {
        units[$0].clipped(curves[$0].count(below: threshold.place + 1)) - below[$0]
      }
      let ties = search.evenSpread(
        Int128(target.removed) - threshold.before, room: room, indices: units.map(\.index),
        totalUnits: totalUnits, over: world)
      counts = zip(below, ties).map { $0 + $1 }
    }

    let certificate = certificate(
      units, curves: curves, counts: counts, below: below, mu: mu, target: target,
      totalUnits: totalUnits, search: &search, over: world)
    return PruningSolution(
      price: b - mu, mu: mu, target: target.removed, totalWeights: target.totalWeights,
      continuous: zip(units, counts).map { $0.share(ofCount: $1) }, integers: counts,
      spent: Double(target.removed), certificate: certificate)
  }

  /// Checks the answer. The Lagrangian's minimum at μ, the lowest cost of the threshold's key, is at
  /// the counts below it, so the gap is what the ties cost above μ: less than 2⁻²⁰ μ each.
  /// Collective; two allreduces.
  private func certificate(
    _ units: [PruningUnit], curves: [MeasuredCurve], counts: [Int], below: [Int], mu: Double,
    target: PruningTarget, totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> Certificate {
    func cost(_ position: Int, _ count: Int) -> Double {
      factor(ofQuality: units[position].quality) * curves[position].cost(ofSmallest: count)
    }
    let sums = search.exactSums(
      [
        units.indices.map { cost($0, counts[$0]) },
        units.indices.map { cost($0, below[$0]) - mu * Double(below[$0]) },
        zip(units, counts).map { $0.wholeBounds.lower == $1 ? 1 : 0 },
        zip(units, counts).map { $0.wholeBounds.upper == $1 ? 1 : 0 },
      ], totalTerms: totalUnits, over: world)
    let dual = sums[1] + mu * Double(target.removed)
    let gap = sums[0] - dual
    return Certificate(
      primal: sums[0], dual: dual, gap: gap, stationarityResidual: 0, feasibilityResidual: 0,
      complementarityResidual: 0, kktResidual: sums[0] > 0 ? abs(gap) / sums[0] : 0, budgetLeft: 0,
      integralityGap: gap, integerBudgetLeft: 0, unitsAtLower: Int(sums[2]),
      unitsAtUpper: Int(sums[3]))
  }
}

/// Σ clip(count, lo, hi) as a function of how many places are counted: where it starts, and by what
/// it grows at each place.
private struct ClippedCounts {
  private(set) var base: Int128 = 0
  private(set) var increments: [Int128]

  init(units: [PruningUnit], before: [Int], histograms: [CostHistogram], places: Int) {
    increments = .init(repeating: 0, count: places)
    for (unit, (start, histogram)) in zip(units, zip(before, histograms)) {
      var count = start
      var clipped = unit.clipped(count)
      base += Int128(clipped)
      for place in histogram.places {
        count += place.count
        let next = unit.clipped(count)
        increments[place.number] += Int128(next - clipped)
        clipped = next
      }
    }
  }
}

extension PruningUnit {
  /// A count within the whole-number bounds.
  fileprivate func clipped(_ count: Int) -> Int {
    let bounds = wholeBounds
    return min(max(count, bounds.lower), bounds.upper)
  }

  /// z/n; the bound itself where z is its whole number, which may lie up to a weight inside.
  func share(ofCount count: Int) -> Double {
    if count == wholeBounds.lower { return lower }
    if count == wholeBounds.upper { return upper }
    return Double(count) / Double(weights)
  }
}
