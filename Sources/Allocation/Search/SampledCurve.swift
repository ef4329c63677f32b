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
    if crossing == 0 && anchor == nil { return CrossingGuess(key: keys[0], reach: 0) }
    guard let anchor else {
      let value = solve(target, near: crossing)
      // Some standard errors of the sample, in keys: those that the demand needs to move as far.
      let (before, after) = (crossing - 1, crossing)
      let fall = (demands[before] - demands[after]) / (Double(keys[after]) - Double(keys[before]))
      let reach = 2 * abs(target) / Double(units).squareRoot() / fall
      return CrossingGuess(key: OrderedKey.key(of: value), reach: min(reach, 0x1p52))
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
    return CrossingGuess(key: key, reach: abs(Double(key) - Double(anchor.key)) / 16)
  }

  /// Where the curve meets `target`, after a shift and a tilt that make it pass through two measured
  /// points: it knows how the demand bends between them, and beyond.
  ///
  /// `low` is before `high`; `isBracket` says whether the answer is between them.
  func guess(
    of target: Double, low: MeasuredPoint, high: MeasuredPoint, isBracket: Bool
  ) -> CrossingGuess? {
    let ends = (OrderedKey.value(of: low.key), OrderedKey.value(of: high.key))
    guard units > 0, keys.count > 4, ends.1 - ends.0 > 0,
      let above = keys.firstIndex(where: { $0 >= high.key })
    else { return nil }
    let shifts = (
      Double(low.demand) - polynomial(at: ends.0, near: above),
      Double(high.demand) - polynomial(at: ends.1, near: above)
    )
    let nodes = nodes(above)
    var (left, right) =
      isBracket
      ? ends
      : (
        OrderedKey.value(of: keys[nodes.lowerBound]),
        OrderedKey.value(of: keys[nodes.upperBound - 1])
      )
    for _ in 0..<60 {
      let middle = left + (right - left) / 2
      let share = (middle - ends.0) / (ends.1 - ends.0)
      let shift = shifts.0 + (shifts.1 - shifts.0) * share
      if polynomial(at: middle, near: above) + shift > target {
        left = middle
      } else {
        right = middle
      }
    }
    guard right.isFinite else { return nil }
    let key = OrderedKey.key(of: right)
    let nearest = target > Double(low.demand) ? low.key : high.key
    let reach =
      isBracket
      ? (Double(high.key) - Double(low.key)) / 1024 : abs(Double(key) - Double(nearest)) / 16
    return CrossingGuess(key: key, reach: reach)
  }

  /// The first position whose demand is at most `target`, if there is one on either side.
  private func cell(of target: Double) -> Int? {
    guard keys.count > 4, let first = demands.firstIndex(where: { $0 <= target }) else {
      return nil
    }
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
