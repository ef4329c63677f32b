internal import Collectives

extension PruningProgram {
  /// Whole numbers z with Σ z = S: every n ρ is rounded down, then the units with the largest
  /// remainders take one weight more, ties in unit order.
  ///
  /// Bounds such as 0.51 · n are no whole numbers. Where keeping them leaves too few remainders, what
  /// is still missing is spread evenly over all units that have room, so that no z is farther from
  /// n ρ than it must be. Collective.
  func wholeNumbers(
    _ units: [PruningUnit], _ priced: [PricedPruning], shares: [Double], target: PruningTarget,
    totalUnits: Int, search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) -> [Int] {
    let wanted = zip(priced, shares).map { $0.weights * $1 }
    var counts = zip(units, wanted).map { unit, wanted in
      min(max(Int(wanted), unit.wholeBounds.lower), unit.wholeBounds.upper)
    }
    let candidates = units.indices.filter {
      Double(counts[$0]) < wanted[$0] && counts[$0] < units[$0].wholeBounds.upper
    }
    let totals = search.sum(
      [counts.reduce(0) { $0 + Int128($1) }, Int128(candidates.count)], over: world)
    let missing = Int128(target.removed) - totals[0]
    if missing < 0 {
      let room = units.indices.map { counts[$0] - units[$0].wholeBounds.lower }
      let less = search.evenSpread(
        -missing, room: room, indices: units.map(\.index), totalUnits: totalUnits, over: world)
      return zip(counts, less).map { $0 - $1 }
    }
    if missing > totals[1] {
      for candidate in candidates { counts[candidate] += 1 }
      let room = units.indices.map { units[$0].wholeBounds.upper - counts[$0] }
      let more = search.evenSpread(
        missing - totals[1], room: room, indices: units.map(\.index), totalUnits: totalUnits,
        over: world)
      return zip(counts, more).map { $0 + $1 }
    }
    guard missing > 0 else { return counts }

    let remainders = candidates.map { OrderedKey.key(of: wanted[$0] - Double(counts[$0])) }
    let threshold = search.threshold(ofLargest: Int(missing), keys: remainders, over: world)
    let ties = zip(candidates, remainders).filter { $0.1 == threshold.key }.map { candidate, _ in
      FillCandidate(index: units[candidate].index, amount: 1)
    }
    let cut = search.unitOrderCut(
      ties, available: missing - Int128(threshold.above), totalUnits: totalUnits, over: world)
    for (candidate, remainder) in zip(candidates, remainders) {
      let tie = FillCandidate(index: units[candidate].index, amount: 1)
      let isTied = remainder == threshold.key
      if isTied ? cut.share(of: tie) == 1 : remainder > threshold.key { counts[candidate] += 1 }
    }
    return counts
  }
}
