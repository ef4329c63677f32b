/// The demand as a sample of the units has it: a smooth curve near the true one.
struct SampledCurve: Sendable {
  /// Ascending keys of doubles.
  let keys: [Int64]
  /// The demand at the keys, as the sample extrapolates it.
  let demands: [Double]
  /// Units in the sample, over all ranks.
  let units: Int
  /// The factor by which keys may be off for other reasons than those of a sample.
  var stretch = 1.0

  /// Where the curve meets `target`, after a shift that makes it pass through `anchor`; where it stays above
  /// for want of an anchor, where it comes near.
  func guess(of target: Double, anchor: MeasuredPoint?) -> CrossingGuess? {
    guard let anchor else {
      guard let ends = ends(around: target) else { return nil }
      let key = place(of: target) ?? place(of: target + error(of: target) / 3) ?? ends.lowerBound
      return CrossingGuess(
        key: key, reach: min(OrderedKey.distance(ends.lowerBound, ends.upperBound) / 2, 0x1p52))
    }
    guard units > 0 else { return nil }
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
    return CrossingGuess(key: key, reach: OrderedKey.distance(key, anchor.key) / 16)
  }

  /// Between which keys the true demand is likely to meet `target`: where the sample is three of its standard
  /// errors above it and below. Nil where it stays above.
  func ends(around target: Double) -> ClosedRange<Int64>? {
    guard units > 0, let low = place(of: target + error(of: target)) else { return nil }
    // Two binades, where the curve ends before.
    let beyond = min(low, OrderedKey.largestFinite - (2 << 52)) + (2 << 52)
    let high = max(place(of: target - error(of: target)) ?? beyond, low)
    guard stretch > 1 else { return low...high }
    func stretched(_ key: Int64, _ factor: Double) -> Int64 {
      let value = OrderedKey.value(of: key)
      let moved = value * (value > 0 ? factor : 1 / factor)
      return OrderedKey.key(of: min(moved, .greatestFiniteMagnitude))
    }
    return stretched(low, 1 / stretch)...stretched(high, stretch)
  }

  /// Whether the demand is above `target` at all keys, and whether it may be, by the sample's error.
  func stays(above target: Double) -> Bool { (demands.last ?? target) > target }
  func mayStay(above target: Double) -> Bool {
    (demands.last ?? target) + error(of: target) > target
  }

  /// The curve of the demand against the price at γ, from one of −Σ c x at price 0 against γ.
  ///
  /// For the logarithm x depends on γ/(λ + a/c) alone, so the demand at λ is that of γ (a/c)/(λ + a/c) at price
  /// 0: exactly where all a/c are equal. Nil where they differ by more than a factor of 16.
  func prices(at gamma: Double, ratios: ClosedRange<Double>) -> SampledCurve? {
    let spread = ratios.upperBound / ratios.lowerBound
    guard ratios.lowerBound > 0, spread <= 16 else { return nil }
    let ratio = (ratios.lowerBound * ratios.upperBound).squareRoot()
    var (prices, asked): ([Int64], [Double]) = ([], [])
    for (key, demand) in zip(keys, demands).reversed() {
      let price = ratio * (gamma / OrderedKey.value(of: key) - 1)
      guard price.isFinite, OrderedKey.key(of: price) > prices.last ?? .min else { continue }
      prices.append(OrderedKey.key(of: price))
      asked.append(-demand)
    }
    guard prices.count > 4 else { return nil }
    return SampledCurve(
      keys: prices, demands: asked, units: units, stretch: spread.squareRoot().squareRoot())
  }

  /// Three standard errors, of units that ask for about as much as each other.
  private func error(of target: Double) -> Double {
    3 * abs(target) / Double(units).squareRoot()
  }

  /// The key at which the curve meets `target`.
  private func place(of target: Double) -> Int64? {
    guard let cell = cell(of: target) else { return nil }
    return cell == 0 ? keys[0] : OrderedKey.key(of: solve(target, near: cell))
  }

  /// Where the curve meets `target`, after a shift and a tilt that make it pass through two measured
  /// points with the answer between them: it knows how the demand bends there.
  func guess(of target: Double, low: MeasuredPoint, high: MeasuredPoint) -> CrossingGuess? {
    let ends = (OrderedKey.value(of: low.key), OrderedKey.value(of: high.key))
    guard units > 0, keys.count > 4, ends.1 - ends.0 > 0,
      let above = keys.firstIndex(where: { $0 >= high.key })
    else { return nil }
    let shifts = (
      Double(low.demand) - polynomial(at: ends.0, near: above),
      Double(high.demand) - polynomial(at: ends.1, near: above)
    )
    var (left, right) = ends
    for _ in 0..<60 {
      let middle = left + (right - left) / 2
      // Where the ends are far from each other, errors grow with the binades between them.
      let share =
        low.key > 0
        ? OrderedKey.distance(OrderedKey.key(of: middle), low.key)
          / OrderedKey.distance(high.key, low.key)
        : (middle - ends.0) / (ends.1 - ends.0)
      let shift = shifts.0 + (shifts.1 - shifts.0) * share
      if polynomial(at: middle, near: above) + shift > target {
        left = middle
      } else {
        right = middle
      }
    }
    guard right.isFinite else { return nil }
    // What is left of a sample's error between two exact points; more where its keys were stretched.
    let width = OrderedKey.distance(high.key, low.key)
    return CrossingGuess(
      key: OrderedKey.key(of: right), reach: width / (stretch > 1 ? 16 : 64))
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
