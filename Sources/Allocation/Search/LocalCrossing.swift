/// Where the units of one rank alone would meet their part of a target: what a rank proposes as a trial.
///
/// The part is in proportion to what the rank's demand falls by within the bracket, rounded down, so the parts
/// add up to the target or less than one per rank below it: the common answer lies between the smallest and
/// the largest proposal. Where many units jump at one key, all ranks propose that key, which no
/// interpolation would find.
///
/// Proposals decide how many rounds a search needs, never where it ends: they are tried like other keys.
struct LocalCrossing {
  /// The bracket, with the demand of all ranks at both ends.
  let lower: MeasuredPoint
  let upper: MeasuredPoint
  let target: Int128

  /// The smallest key of the bracket at which this rank's demand is at most its part of the target; nil
  /// where it is the same at both ends.
  /// - Complexity: up to 74 terms per unit; units leave on the way.
  func key(of demand: some SearchedDemand) -> (key: Int64?, evaluations: Int) {
    var own = demand.copy()
    let ends = own.localSums(at: [lower.key, upper.key])
    let fall = ends[0] - ends[1]
    guard fall > 0 else { return (nil, own.evaluations) }
    own.narrow(to: lower.key...upper.key)
    let part = ends[1] + share(of: fall)
    var (above, below) = (lower.key, upper.key)
    var halvings = 0
    // Doubles of both signs may be more keys apart than a signed number holds.
    while case let width = UInt64(bitPattern: below &- above), width > 1 {
      let middle = above &+ Int64(width / 2)
      if own.localSums(at: [middle])[0] > part { above = middle } else { below = middle }
      halvings += 1
      if halvings % 16 == 8 {
        _ = own.localSums(at: [above, below])
        own.narrow(to: above...below)
      }
    }
    return (below, own.evaluations)
  }

  /// ⌊`fall` · (target − D(upper)) / (D(lower) − D(upper))⌋, exact.
  private func share(of fall: Int128) -> Int128 {
    let wanted = (target - upper.demand).magnitude
    let total = (lower.demand - upper.demand).magnitude
    return Int128(total.dividingFullWidth(fall.magnitude.multipliedFullWidth(by: wanted)).quotient)
  }
}

/// What ranks propose, on its way through a sum: each rank's place holds its key, all others 0.
enum ProposedKeys {
  static func outgoing(_ key: Int64?, rank: Int, ranks: Int) -> [Int128] {
    var places = [Int128](repeating: 0, count: ranks)
    // Moved up, as 0 stands for no proposal.
    if let key { places[rank] = Int128(key) + 1 << 64 }
    return places
  }

  /// Ascending, each once.
  static func arrived(_ places: ArraySlice<Int128>) -> [Int64] {
    Set(places.filter { $0 != 0 }.map { Int64($0 - 1 << 64) }).sorted()
  }
}
