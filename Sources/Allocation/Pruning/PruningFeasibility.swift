internal import Collectives

/// The target of a pruning program that is known to have a solution.
struct PruningTarget: Sendable, Equatable {
  /// Σ n over all ranks.
  let totalWeights: Int
  /// S.
  let removed: Int
  /// Keys of μ among which the answer is likely to be.
  let likely: ClosedRange<Int64>
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
    try require(
      resistance == 0 || resistance > 0x1p-500, "eta q^kappa", "\(resistance)",
      "0, or above 2^-500", "write 0 for a unit that is worth so little beside the others")
  }
}

extension PruningProgram {
  /// Checks every unit and that the bounds can reach the sparsity, before any price is searched.
  /// Collective, two allreduces; throws alike on every rank.
  func requireFeasible(
    _ units: [PruningUnit], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> PruningTarget {
    // 1. All units are sound; the largest terms of the sums below, and where μ may be.
    let floors = units.map { Double($0.weights) * $0.lower }
    let ceilings = units.map { Double($0.weights) * $0.upper }
    let ratios = units.compactMap { unit in
      let priced = PricedPruning(unit, program: self, totalUnits: totalUnits)
      return priced.resistance > 0 ? priced.resistance / priced.weights : nil
    }
    let largest = try agreeOnUnits(
      units.map(\.index),
      largest: [
        floors.max() ?? 0, ceilings.max() ?? 0, ratios.max() ?? 0,
        -(ratios.min() ?? .greatestFiniteMagnitude),
      ].map { $0.isNaN ? 0 : $0 }, over: world
    ) { place throws(AllocationError) in
      try units[place].validate(self)
    }
    search.note(allreduces: 1)

    // 2. All sums at once, each exact.
    let scales = largest[0...1].map { FixedPointScale(largest: $0, terms: totalUnits) }
    let counts = search.sum(
      [
        units.reduce(0) { $0 + Int128($1.weights) },
        units.reduce(0) { $0 + Int128($1.wholeBounds.lower) },
        units.reduce(0) { $0 + Int128($1.wholeBounds.upper) },
        floors.reduce(0) { $0 + scales[0].fixed($1) },
        ceilings.reduce(0) { $0 + scales[1].fixed($1) },
      ], over: world)
    let ends = [scales[0].value(counts[3]), scales[1].value(counts[4])]
    let total = Double(Int(counts[0]))
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
    // 2 r ρ/n for the quadratic, r/(n (1 − ρ)) for the logarithm: the former from above, the latter from
    // below, as ρ lies between 0 and 1.
    let likely =
      psi == .quadratic
      ? OrderedKey.binades(below: 2 * largest[2]) : OrderedKey.binades(above: -largest[3])
    return PruningTarget(
      totalWeights: Int(counts[0]), removed: Int(removed), likely: likely)
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
