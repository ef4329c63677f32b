/// The demand as a sample of the units has it: a smooth curve near the true one.
struct SampledCurve: Sendable {
  /// Ascending keys of doubles.
  let keys: [Int64]
  /// The demand at the keys, as the sample extrapolates it.
  let demands: [Double]
  /// Units in the sample, over all ranks.
  let units: Int

  /// Where the curve meets `target`, after a shift that makes it pass through `anchor`.
  func guess(of target: Double, anchor: MeasuredPoint?) -> CrossingGuess? {
    guard units > 0, let crossing = cell(of: target) else { return nil }
    if crossing == 0 && anchor == nil { return CrossingGuess(key: keys[0], spread: 0) }
    guard let anchor else {
      let value = solve(target, near: crossing)
      return CrossingGuess(
        key: OrderedKey.key(of: value), spread: 4 / Double(units).squareRoot() * 0x1p52)
    }
    // The shifted curve, in the points around its own crossing; twice, as that moves with the shift.
    let place = OrderedKey.value(of: anchor.key)
    var wanted = target
    var value = place
    for _ in 0..<2 {
      guard let cell = cell(of: wanted) else { return nil }
      wanted = target - Double(anchor.demand) + polynomial(at: place, near: cell)
      value = solve(wanted, near: cell)
    }
    guard value.isFinite else { return nil }
    let key = OrderedKey.key(of: value)
    return CrossingGuess(key: key, spread: Double((key - anchor.key).magnitude) / 16)
  }

  /// The first position whose demand is at most `target`, if there is one on either side.
  private func cell(of target: Double) -> Int? {
    guard keys.count > 4, let first = demands.firstIndex(where: { $0 <= target }) else { return nil }
    return first
  }

  /// Four points around a cell.
  private func nodes(_ cell: Int) -> Range<Int> {
    let start = min(max(cell - 2, 0), keys.count - 4)
    return start..<start + 4
  }

  /// The cubic through the four points around `cell`.
  private func polynomial(at value: Double, near cell: Int) -> Double {
    let nodes = nodes(cell)
    let places = keys[nodes].map { OrderedKey.value(of: $0) - value }
    var row = Array(demands[nodes])
    for step in 1..<4 {
      for index in 0..<4 - step {
        row[index] =
          (places[index + step] * row[index] - places[index] * row[index + 1])
          / (places[index + step] - places[index])
      }
    }
    return row[0]
  }

  /// Where that cubic meets the target, by halving.
  private func solve(_ target: Double, near cell: Int) -> Double {
    let nodes = nodes(cell)
    var low = OrderedKey.value(of: keys[nodes.lowerBound])
    var high = OrderedKey.value(of: keys[nodes.upperBound - 1])
    for _ in 0..<60 {
      let middle = low + (high - low) / 2
      if polynomial(at: middle, near: cell) > target { low = middle } else { high = middle }
    }
    return high
  }
}
