internal import Allocation
internal import Collectives

/// The two passes over the weights that the measured curve needs, for one sparsity or many.
extension MeasuredProgram {
  /// Histograms by the keys of f s. With κ ≠ 0 the first pass is made again with the factors, which
  /// follow from qualities that may follow from the first. Collective.
  func bins(
    of units: [PruningUnit], _ measured: MeasuredCosts,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [CostHistogram] {
    guard kappa != 0 else { return measured.units.map(\.bins) }
    let factors = units.map { factor(ofQuality: $0.quality) }
    return try agreed(over: world) { () throws(Failure) in
      try measured.pass([.bins], factors: factors, over: world)[0]
    }
  }

  /// Every unit's curve for each of the crossings: one pass over the weights looks at all of their
  /// bins. Collective.
  func curves(
    of units: [PruningUnit], bins: [CostHistogram], at crossings: [MeasuredCrossing],
    _ measured: MeasuredCosts, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [[MeasuredCurve]] {
    let wanted = Set(crossings.compactMap(\.bin)).sorted()
    let factors = units.map { factor(ofQuality: $0.quality) }
    // The crossings are the same on every rank.
    var keys: [[CostHistogram]] = []
    if !wanted.isEmpty {
      keys = try agreed(over: world) { () throws(Failure) in
        try measured.pass(wanted.map { .keys(ofBin: $0) }, factors: factors, over: world)
      }
    }
    return crossings.map { crossing in
      guard let place = crossing.bin.flatMap(wanted.firstIndex(of:)) else {
        return bins.map { MeasuredCurve(bins: $0) }
      }
      return zip(bins, keys[place]).map { MeasuredCurve(bins: $0, keys: $1, at: crossing) }
    }
  }
}
