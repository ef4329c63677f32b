/// A key and the demand there, summed over all ranks.
struct MeasuredPoint: Sendable, Equatable {
  let key: Int64
  let demand: Int128
  /// By how much the demand is likely to be off, where it was measured for another search.
  var error = 0.0
}

/// Where the demand is likely to meet the target.
struct CrossingGuess {
  /// The first key that meets it, if the guess is right.
  let key: Int64
  /// By how many keys it is likely to be off at most.
  let reach: Double
}

/// Guesses of where measured points meet a target. They decide how many rounds a search needs, never
/// where it ends.
struct CrossingModel {
  let target: Int128
  /// Whether keys number the doubles; demands are smooth in those, not in their numbers.
  let keysAreDoubles: Bool
  /// Units that the demand depends on.
  let units: Int
  /// Whether each asks for all or nothing.
  var isFlight = false

  /// By inverse interpolation between the ends of a bracket and up to two more points near them.
  ///
  /// `points` are ascending by their keys and hold both ends. Where the demand is smooth the error is
  /// much smaller than the difference to the straight line.
  func guess(in bracket: ClosedRange<Int64>, from points: [MeasuredPoint]) -> CrossingGuess? {
    guard let low = points.firstIndex(where: { $0.key == bracket.lowerBound }),
      low + 1 < points.count, points[low + 1].key == bracket.upperBound,
      points[low].demand > points[low + 1].demand
    else { return nil }
    var near = [points[low], points[low + 1]]
    let isShortInKeys = isInOneBinade(bracket)
    // The next ones on both sides, as long as the demand goes on falling there.
    if low > 0, points[low - 1].demand > points[low].demand { near.append(points[low - 1]) }
    if low + 2 < points.count, points[low + 1].demand > points[low + 2].demand {
      near.append(points[low + 2])
    }
    let inKeys = !keysAreDoubles || isShortInKeys && near.allSatisfy { isNear($0.key, bracket) }
    func place(_ key: Int64) -> Double {
      inKeys
        ? Double(key &- bracket.lowerBound)
        : OrderedKey.value(of: key) - OrderedKey.value(of: bracket.lowerBound)
    }
    let places = near.map { place($0.key) }
    let heights = near.map { Double($0.demand - target) }
    var best = inverse(places, heights, count: near.count)
    let line = inverse(places, heights, count: 2)
    let width = places[1]
    var reach = abs(best - line) / 64
    if near.count == 2 || !(best > 0 && best < width) { (best, reach) = (line, width / 32) }
    let unit = inKeys ? 0x1p52 : abs(OrderedKey.value(of: bracket.upperBound))
    reach = max(reach, bend(across: width, relative: width / unit))
    guard best.isFinite, width.isFinite else { return nil }

    if inKeys {
      let offset = Int64(best.rounded(.up))
      return CrossingGuess(key: bracket.lowerBound + offset, reach: reach)
    }
    let value = OrderedKey.value(of: bracket.lowerBound) + best
    return CrossingGuess(key: OrderedKey.key(of: value), reach: reach / value.ulp)
  }

  /// By the straight line through two points on one side of the target, the nearest and one that is about as
  /// far from it in demand as that from the target. Nil where it leads further than 2⁴⁸ keys away.
  func guess(beyond points: [MeasuredPoint], in bracket: ClosedRange<Int64>) -> CrossingGuess? {
    func guess(from nearest: MeasuredPoint, _ others: ArraySlice<MeasuredPoint>) -> CrossingGuess? {
      let gap = Double(nearest.demand - target)
      func fall(_ other: MeasuredPoint) -> Double { abs(Double(other.demand - nearest.demand)) }
      guard gap != 0,
        let other = others.filter({ fall($0) > 0 }).min(by: {
          let (first, second) = (fall($0) / abs(gap), fall($1) / abs(gap))
          return max(first, 1 / first) < max(second, 1 / second)
        })
      else { return nil }
      let value = OrderedKey.value(of: nearest.key)
      let slope = (OrderedKey.value(of: other.key) - value) / Double(other.demand - nearest.demand)
      let place = value - gap * slope
      guard place.isFinite else { return nil }
      let key = OrderedKey.key(of: place)
      let distance = OrderedKey.distance(key, nearest.key)
      guard distance < 0x1p48 else { return nil }
      return CrossingGuess(
        key: min(max(key, bracket.lowerBound + 1), bracket.upperBound), reach: max(distance / 4, 4))
    }
    let first = points.firstIndex { $0.demand <= target } ?? points.endIndex
    let candidates = [
      first > 0 ? guess(from: points[first - 1], points[..<(first - 1)]) : nil,
      first < points.endIndex ? guess(from: points[first], points[(first + 1)...]) : nil,
    ]
    return candidates.compactMap { $0 }.min { $0.reach < $1.reach }
  }

  /// By how far units that reach a bound within the bracket move the answer away from a smooth curve.
  ///
  /// In a bracket of a width w relative to its keys about K w of the K units do; in one narrower than 1/K none is
  /// expected. Where they jump, their number up to a key is off by the root of it, as long as one in eight brackets
  /// holds any. Else each bends the demand by its share of the slope, one way or the other.
  private func bend(across width: Double, relative: Double) -> Double {
    let bending = Double(units) * relative
    if isFlight, bending > 1.0 / 8 { return width / (2 * max(bending, 1).squareRoot()) }
    return bending < 1 ? 0 : width / Double(units) * bending.squareRoot() / 4
  }

  /// Neville's scheme for the place at height 0, in the first `count` points.
  private func inverse(_ places: [Double], _ heights: [Double], count: Int) -> Double {
    var row = Array(places.prefix(count))
    for step in 1..<count {
      for index in 0..<count - step {
        row[index] =
          (heights[index + step] * row[index] - heights[index] * row[index + 1])
          / (heights[index + step] - heights[index])
      }
    }
    return row[0]
  }

  /// Whether all doubles of the bracket have one exponent, so that they are evenly spaced.
  private func isInOneBinade(_ bracket: ClosedRange<Int64>) -> Bool {
    bracket.lowerBound >> 52 == bracket.upperBound >> 52
  }

  private func isNear(_ key: Int64, _ bracket: ClosedRange<Int64>) -> Bool {
    key >> 52 == bracket.lowerBound >> 52
  }
}
