/// One end of a bracket: a key and, once measured, the demand there.
struct BracketEnd {
  let key: Int64
  var demand: Int128?
}

/// Chooses the trial keys of one round. A pure function of values that every rank shares, so all
/// ranks choose alike without talking.
///
/// All keys are sorted, distinct and strictly between the ends; none is left when the ends are
/// neighbours.
struct TrialPlacement {
  let lower: Int64
  let upper: Int64

  init(between lower: Int64, and upper: Int64) {
    self.lower = lower
    self.upper = upper
  }

  /// Keys strictly between the ends.
  var room: UInt64 {
    let width = UInt64(bitPattern: upper &- lower)
    return width > 0 ? width - 1 : 0
  }

  /// `count` keys that cut the open interval into equal parts, or all of its keys if fewer.
  func spread(_ count: Int) -> [Int64] {
    guard count > 0, room > 0 else { return [] }
    if room <= UInt64(count) { return Array(lower + 1..<upper) }
    let (width, count) = (room + 1, UInt64(count))
    return (1...count).map { part in
      let product = width.multipliedFullWidth(by: part)
      let step = (count + 1).dividingFullWidth(product).quotient
      return lower &+ Int64(bitPattern: step)
    }
  }

  /// For a first round that knows where the answer is likely to be: three quarters of the keys there,
  /// the rest outside, the ends of the likely part, and the first key of all.
  func grid(_ count: Int, over likely: ClosedRange<Int64>) -> [Int64] {
    let ends = likely.clamped(to: lower...upper)
    if ends.lowerBound == ends.upperBound { return spread(count) }
    let outside = count / 8
    // A negative price is about a running cost per cost: likely in the first binades of a bracket that
    // begins at the largest of these.
    let first = lower < -(8 << 52) ? min(lower + (8 << 52), ends.lowerBound) : ends.lowerBound
    let below = TrialPlacement(between: lower, and: first).spread(outside)
    let inside = TrialPlacement(between: ends.lowerBound, and: ends.upperBound)
      .spread(count - 2 * outside)
    let above = TrialPlacement(between: ends.upperBound, and: upper).spread(outside)
    return merged([lower + 1] + below + [ends.lowerBound] + inside + [ends.upperBound] + above)
  }

  /// About `count` keys for a guess: it and keys at growing distances on both sides, from its neighbours, or as
  /// near as the keys allow, to a multiple of its reach. A guess that is not trusted shares with even parts, which
  /// get on where it is bad, such as at a jump; so does one with many keys.
  func around(_ guess: CrossingGuess, count: Int, isTrusted: Bool) -> [Int64] {
    if room <= UInt64(count) + 1 { return spread(count + 1) }
    let center = min(max(guess.key, lower + 1), upper)
    let evenCount = isTrusted ? (count >= 64 ? count / 4 : 0) : count / 2
    let each = max((count - evenCount - 1) / 2, 1)
    let near = distances(each, reach: guess.reach).flatMap {
      [subtracting($0, from: center), adding($0, to: center)]
    }
    return merged(spread(evenCount) + [center] + near)
  }

  /// `count` distances from a guess, the largest first: some multiples of its reach, then ever smaller parts of
  /// it, and as soon as the rest are enough for that, all of the nearest keys.
  private func distances(_ count: Int, reach: Double) -> [Int64] {
    // A few keys grow fast and are all spent on the reach and beyond.
    let (outer, inner, beyond): (Double, Double, Int) =
      count >= 10
      ? (4, 2, max(count / 3, 4)) : count >= 4 ? (4, 4, 3) : (8, 8, count / 2)
    var distance = max(reach, 1)
    for _ in 0..<beyond { distance *= outer }
    distance = min(distance, Double(room), 0x1p60)
    var distances: [Int64] = []
    while distances.count < count {
      let left = count - distances.count
      if distance <= Double(left) {
        return distances + (1...Int64(count == 1 ? 2 : left)).reversed()
      }
      distances.append(Int64(distance))
      distance /= distance > reach ? outer : inner
    }
    return distances
  }

  /// Even parts of twice the reach of a guess on both sides: for one whose error is a sample's.
  func even(around guess: CrossingGuess, count: Int) -> [Int64] {
    let distance = Int64(min(2 * guess.reach, Double(room), 0x1p60))
    let center = min(max(guess.key, lower + 1), upper)
    let part = TrialPlacement(
      between: max(subtracting(distance, from: center), lower),
      and: min(adding(distance, to: center), upper))
    return merged([part.lower] + part.spread(count) + [part.upper])
  }

  /// Those of the keys that are strictly between the ends, ascending and each once.
  func within(_ keys: [Int64]) -> [Int64] { merged(keys) }

  /// The keys together with proposals, ascending: each of up to 32 with the key before it, so that a jump there is
  /// found for good, and even parts between the first and the last.
  func adding(_ proposals: [Int64], to keys: [Int64]) -> [Int64] {
    guard let first = proposals.first, let last = proposals.last else { return keys }
    let chosen = (0..<min(proposals.count, 32)).map {
      proposals[$0 * (proposals.count - 1) / max(min(proposals.count, 32) - 1, 1)]
    }
    let between = TrialPlacement(between: first, and: last).spread(keys.count / 2)
    return merged(keys + between + chosen.flatMap { [$0, subtracting(1, from: $0)] })
  }

  private func subtracting(_ distance: Int64, from key: Int64) -> Int64 {
    let (difference, overflow) = key.subtractingReportingOverflow(distance)
    return overflow ? lower : difference
  }

  private func adding(_ distance: Int64, to key: Int64) -> Int64 {
    let (sum, overflow) = key.addingReportingOverflow(distance)
    return overflow ? upper : sum
  }

  private func merged(_ keys: [Int64]) -> [Int64] {
    var last = lower
    return keys.sorted().filter { key in
      guard key > last, key < upper else { return false }
      last = key
      return true
    }
  }
}
