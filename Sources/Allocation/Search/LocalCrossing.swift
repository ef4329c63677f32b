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

  /// The keys that this rank proposes, and the terms it took to find them.
  struct Found {
    var keys: [Int64] = []
    var evaluations: Int
  }

  /// The smallest key of the bracket at which this rank's demand is at most its part of the target, and where very few
  /// units are left up to `more` of the keys at which it falls by most. None where it is the same at both ends.
  /// - Complexity: up to 74 terms per unit, and as many per unit and further key; units leave on the way.
  func keys(of demand: some SearchedDemand, besides more: Int = 0) -> Found {
    var own = demand.copy()
    let ends = own.localSums(at: [lower.key, upper.key])
    let fall = ends[0] - ends[1]
    guard fall > 0 else { return Found(evaluations: own.evaluations) }
    own.narrow(to: lower.key...upper.key)
    var found = Found(evaluations: own.evaluations)
    let whole = Piece(
      low: MeasuredPoint(key: lower.key, demand: ends[0]),
      high: MeasuredPoint(key: upper.key, demand: ends[1]))
    var pieces = cut(whole, at: ends[1] + share(of: fall), of: own, &found)

    // The keys at which it falls by most: the largest fall is halved until each piece has one jump or none.
    guard own.movingUnits <= 4 * (more + 1) else { return found }
    for _ in 0..<more {
      guard let most = pieces.indices.max(by: { pieces[$0].fall < pieces[$1].fall }) else { break }
      let piece = pieces.remove(at: most)
      pieces += cut(piece, at: piece.high.demand + piece.fall / 2, of: own, &found)
    }
    return found
  }

  /// A part of the bracket, with this rank's demand at its ends.
  private struct Piece {
    let low: MeasuredPoint
    let high: MeasuredPoint
    var fall: Int128 { low.demand - high.demand }
  }

  /// Finds the smallest key of a piece at which the demand is at most `part`, and returns what is left on both sides of
  /// that key and the one before it.
  private func cut(
    _ piece: Piece, at part: Int128, of demand: some SearchedDemand, _ found: inout Found
  ) -> [Piece] {
    var own = demand.copy()
    var (above, below) = (piece.low.key, piece.high.key)
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
    let beside = own.localSums(at: [above, below])
    found.keys.append(below)
    found.evaluations += own.evaluations
    return [
      Piece(low: piece.low, high: MeasuredPoint(key: above, demand: beside[0])),
      Piece(low: MeasuredPoint(key: below, demand: beside[1]), high: piece.high),
    ].filter { $0.fall > 0 }
  }

  /// ⌊`fall` · (target − D(upper)) / (D(lower) − D(upper))⌋, exact.
  private func share(of fall: Int128) -> Int128 {
    let wanted = (target - upper.demand).magnitude
    let total = (lower.demand - upper.demand).magnitude
    return Int128(total.dividingFullWidth(fall.magnitude.multipliedFullWidth(by: wanted)).quotient)
  }
}
