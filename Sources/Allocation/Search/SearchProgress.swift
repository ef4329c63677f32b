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

  /// Takes over what is known beforehand.
  mutating func begin(at start: SearchStart) {
    guard method == .accelerated else { return }
    sampled = start.sampled
    firstGuess = start.guess
  }

  /// ⌊log₂⌋ of the keys among which the answer is.
  var bracketBits: Int {
    let width = UInt64(bitPattern: upper.key &- lower.key)
    return max(UInt64.bitWidth - width.leadingZeroBitCount - 1, 0)
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
      return proposals.isEmpty ? keys : placement.adding(proposals, to: keys)
    }
  }

  private func guessedKeys(_ placement: TrialPlacement) -> [Int64] {
    guard let outlook else {
      guard placement.room < 1 << 50, let guess else { return withTop(placement.spread(255)) }
      return withTop(placement.around(guess, count: 255, isTrusted: true))
    }
    if points.isEmpty && sampled == nil && firstGuess == nil {
      return outlook.grid(in: lower.key...upper.key)
    }
    // As many trials as take about the time of the allreduce, but three at least.
    let perRank = max(activeUnits / ranks, 1)
    let count = min(
      max(4 * SearchOutlook.terms(ranks: ranks) / perRank, 3)
        << (2 * min(max(max(poorRounds, misses) - 1, 0), 6)),
      255)
    guard let guess else {
      return upper.demand == nil ? [upper.key] : placement.spread(max(count, 15))
    }
    // The ends of a sample's guess are enough: it also knows how the demand bends between them.
    let keys =
      points.isEmpty && firstGuess == nil && count == 3
      ? placement.ends(of: guess)
      : placement.around(guess, count: count, isTrusted: poorRounds < 2 && misses < 2)
    return keys.isEmpty ? withTop([]) : keys
  }

  /// Whether ranks should look where their own units meet their part of the target, some 60 terms per unit:
  /// where that costs no more than an allreduce, and where interpolation has failed.
  var wantsProposals: Bool {
    guard method == .accelerated else { return false }
    let (perRank, few) = (activeUnits / ranks, SearchOutlook.terms(ranks: ranks))
    // The last unit to come down is a matter of one unit, which only its rank knows.
    if perRank <= (asksForLowest ? 8 * few : few / 64) { return true }
    return poorRounds >= (perRank <= few / 2 ? 1 : 2) || rounds >= 4 && bracketBits > 24
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

  /// Once the answer is known well enough for another search to start from: a guess of it.
  var seat: Int64? {
    guard method == .accelerated, let guess else { return nil }
    let isKnown = guess.reach < (points.isEmpty ? 0x1p52 : 0x1p46) || isNarrow
    return isKnown ? min(max(guess.key, lower.key + 1), upper.key) : nil
  }

  private var isNarrow: Bool {
    lower.demand != nil && upper.demand != nil
      && TrialPlacement(between: lower.key, and: upper.key).room < 1 << 42
  }

  private func withTop(_ keys: [Int64]) -> [Int64] {
    upper.demand == nil ? keys + [upper.key] : keys
  }

  /// Where the answer is likely to be, as far as the measurements tell.
  var guess: CrossingGuess? {
    if lower.demand != nil, upper.demand != nil {
      if points.count == 2,
        let bent = sampled?.guess(
          of: Double(target), low: points[0], high: points[1], isBracket: true)
      {
        return bent
      }
      let model = CrossingModel(target: target, keysAreDoubles: outlook != nil)
      return model.guess(in: lower.key...upper.key, from: points)
    }
    if points.isEmpty, let firstGuess { return firstGuess }
    // All measurements are on one side: the two nearest ones show the way.
    let pair = lower.demand != nil ? Array(points.suffix(2)) : Array(points.prefix(2))
    if pair.count == 2, pair[0].demand > pair[1].demand,
      let beyond = sampled?.guess(
        of: Double(target), low: pair[0], high: pair[1], isBracket: false)
    {
      return CrossingGuess(key: beyond.key, reach: beyond.reach * Double(1 << min(misses, 20)))
    }
    let anchor = points.min { ($0.demand - target).magnitude < ($1.demand - target).magnitude }
    return sampled?.guess(of: Double(target), anchor: anchor)
  }

  /// Takes in what a round has measured: keeps the part of the bracket in which the demand first meets
  /// the target.
  mutating func measured(_ sums: [Int128], at keys: [Int64]) {
    rounds += 1
    let width = UInt64(bitPattern: upper.key &- lower.key)
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
