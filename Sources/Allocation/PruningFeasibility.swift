internal import Collectives

/// The target of a pruning program that is known to have a solution.
struct PruningTarget: Sendable, Equatable {
  /// Σ n over all ranks.
  let totalWeights: Int
  /// S.
  let removed: Int
}

extension PruningUnit {
  /// The whole numbers of weights that the bounds allow. Bounds so close that they hold none give
  /// the nearest whole number to their middle.
  var wholeBounds: (lower: Int, upper: Int) {
    let lower = (Double(weights) * self.lower).rounded(.up)
    let upper = (Double(weights) * self.upper).rounded(.down)
    guard lower <= upper else {
      let middle = Int((Double(weights) * (self.lower + self.upper) / 2).rounded())
      return (middle, middle)
    }
    return (Int(lower), Int(upper))
  }

  fileprivate func validate(_ program: PruningProgram) throws(AllocationError) {
    func require(
      _ good: Bool, _ what: String, _ value: String, _ limit: String, _ advice: String
    ) throws(AllocationError) {
      guard !good else { return }
      throw .invalid(
        what: what, unit: index, value: value, limit: limit, advice: advice)
    }
    try require(
      quality >= 0 && quality.isFinite, "the quality", "\(quality)", "finite and not negative",
      "check the scores")
    try require(
      weights > 0 && weights < 1 << 53, "the number of weights", "\(weights)",
      "between 1 and 2^53", "scores used for pruning need a parameters column")
    try require(
      lower >= 0 && lower <= upper && upper <= 1, "the range of shares", "\(lower) ... \(upper)",
      "a range within 0 ... 1", "see --min, --max and --bounds")
    let resistance = PricedPruning(self, program: program, totalUnits: 1).resistance
    try require(
      resistance < 0x1p500, "eta q^kappa", "\(resistance)", "below 2^500",
      "lower --kappa or choose a --normalize")
  }
}

extension PruningProgram {
  /// Checks every unit and that the bounds can reach the sparsity, before any price is searched.
  /// Collective; throws alike on every rank.
  func requireFeasible(
    _ units: [PruningUnit], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> PruningTarget {
    try agreeOnUnits(units.map(\.index), over: world) { place throws(AllocationError) in
      try units[place].validate(self)
    }
    let counts = search.sum(
      [
        units.reduce(0) { $0 + Int128($1.weights) },
        units.reduce(0) { $0 + Int128($1.wholeBounds.lower) },
        units.reduce(0) { $0 + Int128($1.wholeBounds.upper) },
      ], over: world)
    let total = Double(Int(counts[0]))
    let ends = search.exactSums(
      [
        units.map { Double($0.weights) * $0.lower }, units.map { Double($0.weights) * $0.upper },
      ], totalTerms: totalUnits, over: world)
    let wanted = sparsity * total
    let rounding = total * 0x1p-50
    guard wanted >= ends[0] - rounding, wanted <= ends[1] + rounding else {
      let tooHigh = wanted > ends[1]
      let blocking = blockingUnits(units, search: &search, over: world)
      throw .infeasible(
        what: "sparsity", value: "\(sparsity)",
        nearest: "the nearest that the bounds reach is \((tooHigh ? ends[1] : ends[0]) / total)",
        advice: tooHigh
          ? "raise --max; the caps of \(blocking.capped) of \(totalUnits) units are below "
            + "\(sparsity), the lowest is \(blocking.lowestCap)"
          : "lower --min; the floors of \(blocking.floored) of \(totalUnits) units are above "
            + "\(sparsity), the highest is \(blocking.highestFloor)")
    }
    let removed = min(max(Int128(wanted.rounded()), counts[1]), counts[2])
    return PruningTarget(totalWeights: Int(counts[0]), removed: Int(removed))
  }

  private struct BlockingUnits {
    let capped: Int
    let lowestCap: Double
    let floored: Int
    let highestFloor: Double
  }

  /// Which bounds stand in the way of the sparsity. Collective.
  private func blockingUnits(
    _ units: [PruningUnit], search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) -> BlockingUnits {
    let counts = search.sum(
      [
        Int128(units.filter { $0.upper < sparsity }.count),
        Int128(units.filter { $0.lower > sparsity }.count),
      ], over: world)
    let ends = search.maximum(
      [-(units.map(\.upper).min() ?? 1), units.map(\.lower).max() ?? 0], over: world)
    return BlockingUnits(
      capped: Int(counts[0]), lowestCap: -ends[0], floored: Int(counts[1]), highestFloor: ends[1])
  }
}
