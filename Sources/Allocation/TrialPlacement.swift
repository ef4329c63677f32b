/// One end of a bracket: a key and, once measured, the demand there.
struct BracketEnd {
  let key: Int64
  var demand: Int128?
}

/// Chooses the trial keys of one round. A pure function of values that every rank shares, so all
/// ranks choose alike without talking.
struct TrialPlacement {
  let method: PriceSearch.Method

  /// Sorted distinct keys strictly between the ends; empty when none is left.
  func keys(lower: BracketEnd, upper: BracketEnd, target: Int128) -> [Int64] {
    switch method {
    case .bisection:
      return spread(1, from: lower.key, to: upper.key)
    case .multisection:
      return spread(63, from: lower.key, to: upper.key)
    case .accelerated:
      guard let guess = secantKey(lower: lower, upper: upper, target: target) else {
        return spread(255, from: lower.key, to: upper.key)
      }
      let even = spread(127, from: lower.key, to: upper.key)
      return merged(even, around(guess, from: lower.key, to: upper.key))
    }
  }

  /// `count` keys that cut the open interval into equal parts, or all of its keys if fewer.
  private func spread(_ count: UInt64, from lower: Int64, to upper: Int64) -> [Int64] {
    let width = UInt64(bitPattern: upper &- lower)
    guard width > 1 else { return [] }
    if width - 1 <= count { return Array(lower + 1..<upper) }
    return (1...count).map { part in
      let product = width.multipliedFullWidth(by: part)
      let step = (count + 1).dividingFullWidth(product).quotient
      return lower &+ Int64(bitPattern: step)
    }
  }

  /// Where a straight line through both ends meets the target, once the bracket is narrow enough
  /// (a quarter of a binade) for a line to be a fair model of a smooth curve.
  private func secantKey(lower: BracketEnd, upper: BracketEnd, target: Int128) -> Int64? {
    guard let high = lower.demand, let low = upper.demand, high > low else { return nil }
    let width = UInt64(bitPattern: upper.key &- lower.key)
    guard width > 128, width < 1 << 50 else { return nil }
    let share = Double(high - target) / Double(high - low)
    let offset = (share * Double(width)).rounded()
    return lower.key + Int64(min(max(offset, 1), Double(width - 1)))
  }

  /// The guess and keys at distances 1, 2, 4, ... on both sides: if the guess is off by d keys, the
  /// next bracket is narrower than d.
  private func around(_ guess: Int64, from lower: Int64, to upper: Int64) -> [Int64] {
    var keys: [Int64] = []
    var distance = Int64(1) << 50
    while distance > 0 {
      if guess - distance > lower { keys.append(guess - distance) }
      distance >>= 1
    }
    if guess > lower && guess < upper { keys.append(guess) }
    distance = 1
    while distance <= 1 << 50 && guess + distance < upper {
      keys.append(guess + distance)
      distance <<= 1
    }
    return keys
  }

  /// The union of two sorted lists, sorted, without duplicates.
  private func merged(_ left: [Int64], _ right: [Int64]) -> [Int64] {
    var all = (left + right).sorted()
    var last: Int64?
    all.removeAll { key in
      defer { last = key }
      return key == last
    }
    return all
  }
}
