/// When ranks look for themselves, and where.
extension SearchProgress {
  /// Whether ranks should look where their own units meet their part of the target, some 60 terms per unit:
  /// where that costs no more than an allreduce, and where interpolation has failed.
  var wantsProposals: Bool {
    guard method == .accelerated else { return false }
    let (perRank, few) = (activeUnits / ranks, SearchOutlook.terms(ranks: ranks))
    // The last unit to come down is a matter of one unit, which only its rank knows.
    if asksForLowest || bracketBits >= 55 || fallsSteeply || isAmongJumps || perRank <= few / 64 {
      return true
    }
    return poorRounds >= (perRank <= few / 2 || bracketBits >= 50 ? 1 : 2)
      || rounds >= 4 && bracketBits > 24
  }

  /// The places for proposals: where the demand falls in jumps, for some of these, too.
  var proposedKeys: ProposedKeys {
    let seesJumps = isAmongJumps || fallsSteeply || poorRounds > 0
    return ProposedKeys(
      ranks: ranks, more: seesJumps && bracketBits > 10 ? ProposedKeys.besides(ranks: ranks) : 0)
  }

  /// Whether the answer is where many units ask for all or nothing, each at a key of its own.
  var isAmongJumps: Bool {
    guard let flight = outlook?.flight else { return false }
    return lower.demand != nil && upper.demand != nil && upper.key <= 0
      && lower.key < flight.upperBound
  }

  /// Whether the demand falls far more steeply within the bracket than beside it, as at a jump.
  var fallsSteeply: Bool {
    guard bracketBits > 24, let low = points.firstIndex(where: { $0.key == lower.key }),
      low + 1 < points.count, points[low + 1].key == upper.key
    else { return false }
    func slope(_ index: Int) -> Double {
      Double(points[index].demand - points[index + 1].demand)
        / OrderedKey.distance(points[index].key, points[index + 1].key)
    }
    let beside = [low - 1, low + 1].filter { $0 >= 0 && $0 + 1 < points.count }.map(slope)
    guard let steepest = beside.max() else { return false }
    return slope(low) > 16 * steepest
  }

  /// The bracket for proposals, once both ends are measured and there is room between them.
  var localCrossing: LocalCrossing? {
    guard let below = upper.demand, bracketBits > 0 else { return nil }
    // Where nothing but the lowest demand is wanted, no part depends on what it falls from.
    guard let above = lower.demand ?? (asksForLowest ? below + 1 : nil) else { return nil }
    return LocalCrossing(
      lower: MeasuredPoint(key: lower.key, demand: above),
      upper: MeasuredPoint(key: upper.key, demand: below), target: target)
  }
}
