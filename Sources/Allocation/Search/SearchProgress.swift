/// What a search knows after some rounds, and what it should try next. All of it is agreed.
struct SearchProgress {
  let method: PriceSearch.Method
  private(set) var target: Int128
  let outlook: SearchOutlook?
  let ranks: Int
  private(set) var lower: BracketEnd
  private(set) var upper: BracketEnd
  /// Where the bracket began.
  private let start: Int64
  /// All measurements, ascending by key.
  private var points: [MeasuredPoint] = []
  /// What a search for almost the same has measured, moved to where this one would have.
  private var hints: [MeasuredPoint] = []
  /// Set by a first round that asked a sample only.
  var sampled: SampledCurve?
  /// Where another search says the answer is.
  private var firstGuess: CrossingGuess?
  /// Units of all ranks that are still in the search.
  var activeUnits: Int
  /// Rounds that measured the demand.
  private var rounds = 0
  /// Rounds after which all measurements were on one side.
  private var misses = 0
  /// Rounds in a row that got on less than even parts would have.
  private var poorRounds = 0
  /// Whether the target is what the demand is at the top.
  private var asksForLowest = false
  /// Where the answer was thought to be before the last round, and how wide the bracket was.
  private var lastGuess: CrossingGuess?
  private var lastWidth = 0.0
  /// Keys that ranks propose to try, ascending.
  private var proposals: [Int64] = []

  init(
    method: PriceSearch.Method, target: Int128, bracket: ClosedRange<Int64>,
    outlook: SearchOutlook?, ranks: Int
  ) {
    self.method = method
    self.target = target
    self.outlook = outlook
    self.ranks = ranks
    start = bracket.lowerBound
    lower = BracketEnd(key: start)
    upper = BracketEnd(key: bracket.upperBound)
    activeUnits = outlook?.totalUnits ?? 0
  }

  /// Begins at a guess that stems from a search for almost the same, and does not ask a sample again.
  /// `moved` says where a key of that search would be in this one, if that is known well enough to go by its
  /// measurements.
  mutating func begin(
    near other: SearchProgress, guess: CrossingGuess?, moved: ((Int64) -> Int64)? = nil
  ) {
    sampled = sampled ?? other.sampled
    if let moved {
      hints = (other.points + other.hints).map { MeasuredPoint(key: moved($0.key), demand: $0.demand) }
        .filter { lower.key < $0.key && $0.key < upper.key }
    }
    proposals = other.proposals
    (misses, rounds) = (other.misses, other.rounds)
    firstGuess = guess
  }

  /// ⌊log₂⌋ of the keys among which the answer is.
  var bracketBits: Int {
    let width = UInt64(bitPattern: upper.key &- lower.key)
    return max(UInt64.bitWidth - width.leadingZeroBitCount - 1, 0)
  }

  /// Whether the demand is known at both ends, with room between them.
  var isBracketed: Bool {
    lower.demand != nil && upper.demand != nil && upper.key &- lower.key > 1
  }

  /// Whether the demand is above the target even at the top.
  var isOutOfReach: Bool { points.last.map { $0.key == upper.key && $0.demand > target } ?? false }

  /// Asks instead for the first key at which the demand is as low as at the top.
  mutating func lowerAims() {
    guard let top = points.last else { return }
    target = top.demand
    asksForLowest = true
    upper.demand = top.demand
    let below = points.last { $0.demand > top.demand }
    lower = below.map { BracketEnd(key: $0.key, demand: $0.demand) } ?? BracketEnd(key: start)
    if let first = points.first(where: { $0.demand == top.demand }) {
      upper = BracketEnd(key: first.key, demand: first.demand)
    }
  }

  /// The next trial keys, ascending and within the bracket; empty at the end.
  func keys() -> [Int64] {
    let placement = TrialPlacement(between: lower.key, and: upper.key)
    switch method {
    case .bisection: return withTop(placement.spread(1))
    case .multisection: return withTop(placement.spread(63))
    case .accelerated:
      let keys = guessedKeys(placement)
      if let last = outlook?.last, points.isEmpty, sampleStride == nil, mayStayAbove {
        return withTop(placement.within(keys + [last - 1, last]))
      }
      return proposals.isEmpty ? keys : placement.adding(proposals, to: keys)
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
    // As many trials as take about the time of the allreduce, or of one for all units that there were, but three
    // at least.
    let perRank = max(activeUnits / ranks, 1)
    let once = min(outlook.totalUnits / max(activeUnits, 1), 31)
    let count = min(
      max(4 * SearchOutlook.terms(ranks: ranks) / perRank, once, 3)
        << (2 * min(max(max(poorRounds, misses) - 1, 0), 6)),
      255)
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
    let keys = placement.around(guess, count: count, isTrusted: poorRounds < 2 && misses < 2)
    // Where only the last digits have moved, all of the keys there end the search.
    if points.isEmpty, firstGuess != nil, guess.reach <= 8, count < 9 {
      return withTop(
        placement.within(keys + TrialPlacement(between: guess.key - 5, and: guess.key + 5).spread(9)))
    }
    // An end that is not known stands in the way of proposals.
    guard keys.isEmpty || misses > 0 || count > 12 else { return keys }
    return withTop(lower.demand == nil ? placement.within([lower.key + 1] + keys) : keys)
  }

  /// Whether the answer may be in any of many binades, where no interpolation is of use.
  private var isWide: Bool {
    outlook != nil && lower.demand != nil && upper.demand != nil && bracketBits >= 55
      && extrapolated == nil
  }

  /// Where the straight line through points on one side leads, if that is near: the other side was missed.
  private var extrapolated: CrossingGuess? {
    guard outlook != nil, !points.isEmpty, !asksForLowest, bracketBits >= 55 else { return nil }
    return CrossingModel(target: target, keysAreDoubles: true, units: activeUnits)
      .guess(beyond: points, in: lower.key...upper.key)
  }

  /// Whether ranks should look where their own units meet their part of the target, some 60 terms per unit:
  /// where that costs no more than an allreduce, and where interpolation has failed.
  var wantsProposals: Bool {
    guard method == .accelerated else { return false }
    let (perRank, few) = (activeUnits / ranks, SearchOutlook.terms(ranks: ranks))
    // The last unit to come down is a matter of one unit, which only its rank knows.
    if asksForLowest || bracketBits >= 55 || fallsSteeply || perRank <= few / 64 { return true }
    return poorRounds >= (perRank <= few / 2 || bracketBits >= 50 ? 1 : 2)
      || rounds >= 4 && bracketBits > 24
  }

  /// Whether the demand falls far more steeply within the bracket than beside it, as at a jump.
  private var fallsSteeply: Bool {
    guard bracketBits > 24, let low = points.firstIndex(where: { $0.key == lower.key }),
      low + 1 < points.count, points[low + 1].key == upper.key
    else { return false }
    func slope(_ index: Int) -> Double {
      Double(points[index].demand - points[index + 1].demand)
        / OrderedKey.distance(points[index].key, points[index + 1].key)
    }
    let beside = [low - 1, low + 1].filter { $0 >= 0 && $0 + 1 < points.count }.map(slope)
    guard let steepest = beside.max() else { return false }
    return slope(low) > 16 * steepest
  }

  /// The bracket for proposals, once both ends are measured and there is room between them.
  var localCrossing: LocalCrossing? {
    guard let below = upper.demand, upper.key &- lower.key > 1 else { return nil }
    // Where nothing but the lowest demand is wanted, no part depends on what it falls from.
    guard let above = lower.demand ?? (asksForLowest ? below + 1 : nil) else { return nil }
    return LocalCrossing(
      lower: MeasuredPoint(key: lower.key, demand: above),
      upper: MeasuredPoint(key: upper.key, demand: below), target: target)
  }

  /// Takes in what the ranks propose to try next.
  mutating func proposed(_ keys: [Int64]) {
    proposals = keys.filter { lower.key < $0 && $0 <= upper.key }
  }

  /// Of a first round that asks a sample only: one unit of about so many.
  var sampleStride: Int? {
    guard let outlook, method == .accelerated, points.isEmpty, sampled == nil,
      firstGuess == nil
    else { return nil }
    return outlook.sampleStride(ranks: ranks)
  }

  /// The best guess of the answer, for another search to start from.
  var seat: Int64? {
    guard method == .accelerated, let key = bestKey else { return nil }
    return min(max(key, lower.key + 1), upper.key)
  }

  /// Whether the demand may be above the target even at the top, as far as a sample tells.
  private var mayStayAbove: Bool { sampled?.mayStay(above: Double(target)) ?? true }

  private var bestKey: Int64? {
    if points.isEmpty, let last = outlook?.last, sampled?.stays(above: Double(target)) ?? false {
      return last
    }
    guard let first = proposals.first, let last = proposals.last else { return guess?.key }
    if asksForLowest { return last }
    // Ranks that agree know better than any interpolation.
    if let guess, guess.reach < OrderedKey.distance(first, last) { return guess.key }
    return proposals[proposals.count / 2]
  }

  /// Whether more than a sample has been asked.
  var hasMeasured: Bool { !points.isEmpty }

  private func withTop(_ keys: [Int64]) -> [Int64] {
    upper.demand == nil ? keys + [upper.key] : keys
  }

  /// Where the answer is likely to be by these measurements and those of a search for almost the same.
  private var hinted: CrossingGuess? {
    guard !hints.isEmpty else { return nil }
    let known = (points + hints).sorted { $0.key < $1.key }
    guard let high = known.firstIndex(where: { $0.demand <= target }), high > 0 else { return nil }
    let model = CrossingModel(target: target, keysAreDoubles: true, units: activeUnits)
    guard let guess = model.guess(in: known[high - 1].key...known[high].key, from: known) else {
      return nil
    }
    return CrossingGuess(
      key: min(max(guess.key, lower.key + 1), upper.key),
      reach: max(guess.reach, points.isEmpty ? firstGuess?.reach ?? 0 : 0))
  }

  /// Where the answer is likely to be, as far as the measurements tell.
  var guess: CrossingGuess? {
    if let hinted { return hinted }
    if lower.demand != nil, upper.demand != nil, !isWide, extrapolated == nil {
      if points.count == 2, extrapolated == nil,
        let bent = sampled?.guess(of: Double(target), low: points[0], high: points[1])
      {
        return bent
      }
      let model = CrossingModel(
        target: target, keysAreDoubles: outlook != nil, units: activeUnits)
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
    guard let beyond = sampled?.guess(of: Double(target), anchor: anchor) else {
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

  /// Takes in what a round has measured: keeps the part of the bracket in which the demand first meets
  /// the target.
  mutating func measured(_ sums: [Int128], at keys: [Int64]) {
    rounds += 1
    let width = UInt64(bitPattern: upper.key &- lower.key)
    (lastGuess, lastWidth) = (guess, Double(width))
    let wasMeasured = lower.demand != nil && upper.demand != nil
    let first = sums.firstIndex { $0 <= target } ?? sums.endIndex
    if first > 0, keys[first - 1] < upper.key {
      lower = BracketEnd(key: keys[first - 1], demand: sums[first - 1])
    }
    if first < sums.endIndex { upper = BracketEnd(key: keys[first], demand: sums[first]) }
    points += zip(keys, sums).map { MeasuredPoint(key: $0, demand: $1) }
    points.sort { $0.key < $1.key }
    if lower.demand == nil || upper.demand == nil { misses += 1 }
    let left = UInt64(bitPattern: upper.key &- lower.key)
    let isPoor = left > width / UInt64(keys.count + 1)
    poorRounds = isPoor && wasMeasured ? poorRounds + 1 : 0
  }
}
