/// Which keys a search tries next.
extension SearchProgress {
  /// The next trial keys, ascending and within the bracket; empty at the end, and only there.
  func keys() -> [Int64] {
    let keys = chosenKeys()
    let placement = TrialPlacement(between: lower.key, and: upper.key)
    guard keys.isEmpty, placement.room > 0 || upper.demand == nil else { return keys }
    // A guess below the bracket has left nothing to try: the answer may be its first key.
    return withTop(placement.within([lower.key + 1] + placement.spread(63)))
  }

  private func chosenKeys() -> [Int64] {
    let placement = TrialPlacement(between: lower.key, and: upper.key)
    switch method {
    case .bisection: return withTop(placement.spread(1))
    case .multisection: return withTop(placement.spread(63))
    case .accelerated:
      let keys = guessedKeys(placement)
      if let last = outlook?.last, points.isEmpty, sampleStride == nil, mayStayAbove {
        return withTop(placement.within(keys + [last - 1, last]))
      }
      let all = proposals.isEmpty ? keys : placement.adding(proposals, to: keys)
      return falls.isEmpty ? all : placement.within(all + falls.flatMap { [$0 - 1, $0] })
    }
  }

  private func guessedKeys(_ placement: TrialPlacement) -> [Int64] {
    guard let outlook else {
      guard placement.room < 1 << 50, let guess else { return withTop(placement.spread(255)) }
      return withTop(placement.around(guess, count: 255, isTrusted: true))
    }
    if points.isEmpty && sampled == nil && firstGuess == nil {
      return outlook.grid(sampleStride == nil ? 253 : 125, in: lower.key...upper.key)
    }
    let (perRank, few) = (max(activeUnits / ranks, 1), SearchOutlook.terms(ranks: ranks))
    // Late, all keys that are left, where that costs no more than an allreduce.
    if !points.isEmpty, rounds >= 3, placement.room <= 1023, perRank * Int(placement.room) <= few {
      return withTop(placement.spread(1023))
    }
    let once = min(outlook.totalUnits / max(activeUnits, 1), 31)
    var count = trialCount(perRank: perRank, once: once)
    // At a flight of jumps even parts get on better than guesses, and cost less than the proposals of that round.
    let isFlight = (fallsSteeply || isAmongJumps) && localCrossing != nil
    if isFlight { count = max(count, 31) }
    guard let guess, !isWide else {
      return withTop(placement.grid(max(count, 15), over: outlook.likely))
    }
    // The ends of a sample's guess are enough: it also knows how the demand bends between them.
    if points.isEmpty, firstGuess == nil, count == 3,
      let ends = sampled?.ends(around: Double(target))
    {
      return placement.within([ends.lowerBound, ends.upperBound])
    }
    // A sample's error is as likely anywhere within its reach.
    if points.isEmpty, firstGuess == nil, count >= 24 {
      return withTop(
        placement.within(
          [lower.key + 1] + placement.even(around: guess, count: count / 2)
            + placement.around(guess, count: count / 2, isTrusted: true)))
    }
    // Near the end a few more of the few units' terms may save a round.
    let isNear = guess.reach < 64 && once >= 5
    let keys = placement.around(
      guess, count: isNear ? max(count, min(2 * once, 31)) : count,
      isTrusted: poorRounds < 2 && misses < 2 && !isFlight)
    // Where only the last digits have moved, all of the keys there end the search.
    if points.isEmpty, firstGuess != nil, guess.reach <= 8, count < 9 {
      return withTop(placement.within(keys + (-4...4).map { guess.key + $0 }))
    }
    // An end that is not known stands in the way of proposals.
    guard keys.count >= placement.room || misses > 0 || count > 12 else { return keys }
    return withTop(lower.demand == nil ? placement.within([lower.key + 1] + keys) : keys)
  }

  /// As many trials as take about the time of the allreduce, or as one for all the units that there were, but three at
  /// least; more where rounds have brought little, and late.
  private func trialCount(perRank: Int, once: Int) -> Int {
    let few = SearchOutlook.terms(ranks: ranks)
    let setbacks = max(max(poorRounds, misses) - 1, 0)
    var count = min(max(4 * few / perRank, once, 3) << (2 * min(setbacks, 6)), 255)
    // One side was missed: from a few distances one that is right is found.
    if misses > 0, lower.demand == nil || upper.demand == nil, perRank <= 4 * few {
      count = max(count, 12)
    }
    let isLate = rounds >= 4 && !points.isEmpty
    return isLate && bracketBits > 24 && perRank <= few / 4 ? 255 : count
  }

  /// With the upper end, while it is not measured.
  private func withTop(_ keys: [Int64]) -> [Int64] {
    upper.demand == nil ? keys + [upper.key] : keys
  }
}
