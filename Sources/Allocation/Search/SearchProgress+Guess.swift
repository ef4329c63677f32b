/// Where the answer of a search is likely to be.
extension SearchProgress {
  /// Where the answer is likely to be by these measurements and those of a search for almost the same.
  private var hinted: CrossingGuess? {
    guard !hints.isEmpty else { return nil }
    // Those around the answer are enough.
    let first = points.firstIndex { $0.demand <= target } ?? points.endIndex
    let near = points[max(first - 4, 0)..<min(first + 4, points.count)]
    let known = (near + hints.filter(agrees)).sorted { $0.key < $1.key }
    guard let high = known.firstIndex(where: { $0.demand <= target }), high > 0 else { return nil }
    let model = CrossingModel(target: target, keysAreDoubles: true, units: activeUnits)
    guard let guess = model.guess(in: known[high - 1].key...known[high].key, from: known) else {
      return nil
    }
    var reach = guess.reach
    if points.isEmpty, let moved {
      let error = OrderedKey.distance(guess.key, moved.origin.key) * moved.error
      reach = max(reach, 4 * moved.origin.reach, error, moved.grain)
    }
    return CrossingGuess(key: min(max(guess.key, lower.key + 1), upper.key), reach: reach)
  }

  /// Whether a hint is between what was measured beside it.
  private func agrees(_ hint: MeasuredPoint) -> Bool {
    guard !points.isEmpty else { return true }
    // Near the target what is not sure is of no use any more.
    guard 64 * hint.error <= abs(Double(hint.demand - target)) else { return false }
    let after = points.firstIndex { $0.key >= hint.key } ?? points.endIndex
    if after < points.endIndex, points[after].key == hint.key || points[after].demand > hint.demand
    {
      return false
    }
    return after == 0 || points[after - 1].demand >= hint.demand
  }

  /// Where the answer is likely to be, as far as the measurements tell.
  var guess: CrossingGuess? {
    if let hinted { return hinted }
    if lower.demand != nil, upper.demand != nil, !isWide, extrapolated == nil {
      if points.count == 2,
        let bent = sampled?.guess(of: Double(target), low: points[0], high: points[1])
      {
        return bent
      }
      let model = CrossingModel(
        target: target, keysAreDoubles: outlook != nil, units: activeUnits, isFlight: isAmongJumps)
      guard let guess = model.guess(in: lower.key...upper.key, from: points) else { return nil }
      guard poorRounds > 0, let lastGuess else { return guess }
      // The next error is likely to be to the last one as that is to the bracket it was made in.
      let error = OrderedKey.distance(lastGuess.key, guess.key)
      return CrossingGuess(
        key: guess.key, reach: max(guess.reach, error * min(error / lastWidth, 1)))
    }
    if points.isEmpty, let firstGuess { return firstGuess }
    if let extrapolated { return extrapolated }
    // All measurements are on one side or far away: the sample's curve, shifted to the nearest, shows
    // the way; where it does not, the middle of what is likely.
    let anchor = points.min { ($0.demand - target).magnitude < ($1.demand - target).magnitude }
    let beyond = sampled?.guess(of: Double(target), anchor: anchor)
    if let stepped, (beyond?.reach ?? .infinity) > 0x1p52 { return stepped }
    guard let beyond else {
      guard isWide, let likely = outlook?.likely.clamped(to: lower.key...upper.key) else {
        return nil
      }
      let width = likely.upperBound - likely.lowerBound
      return CrossingGuess(key: likely.lowerBound + width / 2, reach: Double(width) / 8)
    }
    return CrossingGuess(
      key: min(max(beyond.key, lower.key + 1), upper.key),
      reach: beyond.reach * Double(1 << min(misses, 20)))
  }

  /// Whether the answer may be in any of many binades, where no interpolation is of use.
  var isWide: Bool {
    outlook != nil && lower.demand != nil && upper.demand != nil && bracketBits >= 55
      && extrapolated == nil
  }

  /// Where the straight line through points on one side leads, if that is near: the other side was missed.
  var extrapolated: CrossingGuess? {
    guard outlook != nil, !points.isEmpty, !asksForLowest,
      bracketBits >= 55 || lower.demand == nil || upper.demand == nil
    else { return nil }
    return CrossingModel(target: target, keysAreDoubles: true, units: activeUnits)
      .guess(beyond: points, in: lower.key...upper.key)
  }

  /// After a miss by more than the guess was thought to err by at most: as far again beyond what was measured.
  private var stepped: CrossingGuess? {
    guard outlook != nil, lower.demand == nil || upper.demand == nil, let lastGuess,
      let first = points.first?.key, let last = points.last?.key
    else { return nil }
    let step = max(4 * lastGuess.reach, OrderedKey.distance(first, last))
    guard step < 0x1p56 else { return nil }
    let (key, overflow) =
      upper.demand == nil
      ? last.addingReportingOverflow(Int64(step)) : first.subtractingReportingOverflow(Int64(step))
    guard !overflow else { return nil }
    return CrossingGuess(key: min(max(key, lower.key + 1), upper.key), reach: step / 2)
  }

  /// The best guess of the answer, for another search to start from.
  var seat: Int64? {
    guard method == .accelerated, let key = bestKey else { return nil }
    return min(max(key, lower.key + 1), upper.key)
  }

  /// Whether the demand may be above the target even at the top, as far as a sample tells.
  var mayStayAbove: Bool { sampled?.mayStay(above: Double(target)) ?? true }

  private var bestKey: Int64? {
    if points.isEmpty, let last = outlook?.last, sampled?.stays(above: Double(target)) ?? false {
      return last
    }
    guard let last = proposals.last else { return guess?.key }
    if asksForLowest { return last }
    // Ranks that agree know better than any interpolation.
    if let guess, guess.reach < proposalSpread { return guess.key }
    return proposals[proposals.count / 2]
  }
}
