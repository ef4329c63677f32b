internal import Collectives

/// How many values lie above a threshold.
private struct CountAbove: DemandCurve {
  func point(at key: Int64) -> Int64 { key }
  func term(of unit: Int64, at point: Int64) -> Int128 { unit > point ? 1 : 0 }
}

/// The smallest value of which at most a given number of values lie above.
struct RankThreshold: Equatable {
  /// `OrderedKey` of the value.
  let key: Int64
  /// How many values lie above it.
  let above: Int
}

extension PriceSearch {
  /// Where the `count` largest of values spread over all ranks begin. `keys` are this rank's values
  /// as `OrderedKey`s. Found without gathering or sorting. Collective.
  mutating func threshold(
    ofLargest count: Int, keys: [Int64], over world: borrowing some Collective & ~Copyable
  ) -> RankThreshold {
    let crossing = firstKey(
      for: .ranking, of: SlicedDemand(CountAbove(), units: keys), meeting: Int128(count),
      in: (-OrderedKey.largestFinite - 1)...OrderedKey.largestFinite, over: world)
    return RankThreshold(key: crossing.key, above: Int(crossing.demand))
  }

  /// The median of finite values spread over all ranks: the mean of the two middle ones if their
  /// number is even, nil if there are none. Collective.
  mutating func median(
    of values: [Double], over world: borrowing some Collective & ~Copyable
  ) -> Double? {
    let count = Int(sum([Int128(values.count)], over: world)[0])
    guard count > 0 else { return nil }
    let keys = values.map(OrderedKey.key)
    // The r-th largest, from 0, is the smallest value with at most r values above it.
    let upper = threshold(ofLargest: (count - 1) / 2, keys: keys, over: world).key
    guard count.isMultiple(of: 2) else { return OrderedKey.value(of: upper) }
    let lower = threshold(ofLargest: count / 2, keys: keys, over: world).key
    return (OrderedKey.value(of: upper) + OrderedKey.value(of: lower)) / 2
  }
}
