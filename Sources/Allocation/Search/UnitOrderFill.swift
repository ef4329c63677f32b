internal import Collectives

/// A unit that could take `amount` more, all of it equally good.
struct FillCandidate: Sendable {
  /// Position of the unit in the plan, 0 ..< total.
  let index: Int
  /// What it would take, in fixed-point units of the budget; positive.
  let amount: Int128
}

/// How much the units up to each position would take together, with its sign turned.
private struct PrefixDemand: DemandCurve {
  func point(at key: Int64) -> Int64 { key }
  func term(of unit: FillCandidate, at point: Int64) -> Int128 {
    Int64(unit.index) <= point ? -unit.amount : 0
  }
}

/// Where a fill in unit order ends.
struct UnitOrderCut: Equatable {
  /// Every candidate before this position is served in full.
  let end: Int
  /// What is left for the candidate at position `end`, which could not be served in full.
  let remainder: Int128

  /// What a candidate is given.
  func share(of candidate: FillCandidate) -> Int128 {
    if candidate.index < end { return candidate.amount }
    return candidate.index == end ? min(remainder, candidate.amount) : 0
  }
}

extension PriceSearch {
  /// Serves candidates in the order of their units until `available` is used up: the rule by which
  /// ties are broken. Found by the same search as a price, over unit positions instead of prices.
  ///
  /// Collective: every rank calls with its own candidates.
  mutating func unitOrderCut(
    _ candidates: [FillCandidate], available: Int128, totalUnits: Int,
    over world: borrowing some Collective & ~Copyable
  ) -> UnitOrderCut {
    let asked = sum([candidates.reduce(Int128(0)) { $0 + $1.amount }], over: world)[0]
    guard asked > available else {
      return UnitOrderCut(end: totalUnits, remainder: available - asked)
    }
    let crossing = firstKey(
      for: .ties, of: SlicedDemand(PrefixDemand(), units: candidates), meeting: -(available + 1),
      in: -1...Int64(totalUnits - 1), over: world)
    let end = Int(crossing.key)
    let blocked = candidates.first { $0.index == end }?.amount ?? 0
    let blockedAmount = sum([blocked], over: world)[0]
    return UnitOrderCut(end: end, remainder: available + crossing.demand + blockedAmount)
  }
}
