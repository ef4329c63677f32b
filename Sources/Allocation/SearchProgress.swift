/// Where an answer is likely to be, and how much work a trial is.
struct SearchOutlook: Sendable {
  /// Keys of doubles among which the answer probably is.
  let likely: ClosedRange<Int64>
  /// Units of all ranks.
  let totalUnits: Int
}

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
  /// Units of all ranks that are still in the search.
  var activeUnits: Int
  /// Rounds in a row that got on less than even parts would have.
  private var poorRounds = 0

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

  /// Whether the demand is above the target even at the top.
  var isOutOfReach: Bool { points.last.map { $0.key == upper.key && $0.demand > target } ?? false }

  /// Asks instead for the first key at which the demand is as low as at the top.
  mutating func lowerAims() {
    guard let top = points.last else { return }
    target = top.demand
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
    case .accelerated: break
    }
    guard let outlook else {
      guard placement.room < 1 << 50, let guess else { return withTop(placement.spread(255)) }
      return withTop(placement.around(guess, count: 255, isTrusted: true))
    }
    if points.isEmpty && sampled == nil {
      return withTop(placement.grid(253, over: outlook.likely))
    }
    // A quarter of a millisecond per round, whatever the number of units, but two trials at least.
    let perRank = max(activeUnits / ranks, 1)
    let count = min(max((1 << 17) / perRank, 2) << (2 * min(poorRounds, 6)), 255)
    guard let guess else {
      return upper.demand == nil ? [upper.key] : placement.spread(max(count, 15))
    }
    if points.isEmpty && count == 2 {
      let key = min(max(guess.key, lower.key + 1), upper.key - 1)
      return placement.room == 0 ? withTop([]) : [key]
    }
    let keys = placement.around(guess, count: count, isTrusted: poorRounds == 0)
    return keys.isEmpty ? withTop([]) : keys
  }

  /// Units that are asked in the first round: about one of so many.
  var sampleStride: Int {
    guard let outlook, method == .accelerated, points.isEmpty, sampled == nil else { return 1 }
    let perRank = outlook.totalUnits / ranks
    guard perRank > 2048 else { return 1 }
    return perRank / min(max(perRank / 1024, 512), 8192)
  }

  private func withTop(_ keys: [Int64]) -> [Int64] {
    upper.demand == nil ? keys + [upper.key] : keys
  }

  private var guess: CrossingGuess? {
    if lower.demand != nil, upper.demand != nil {
      let model = CrossingModel(target: target, keysAreDoubles: outlook != nil)
      return model.guess(in: lower.key...upper.key, from: points)
    }
    let anchor = points.min { ($0.demand - target).magnitude < ($1.demand - target).magnitude }
    return sampled?.guess(of: Double(target), anchor: anchor)
  }

  /// Takes in what a round has measured: keeps the part of the bracket in which the demand first meets
  /// the target.
  mutating func measured(_ sums: [Int128], at keys: [Int64]) {
    let width = UInt64(bitPattern: upper.key &- lower.key)
    let wasMeasured = lower.demand != nil && upper.demand != nil
    let first = sums.firstIndex { $0 <= target } ?? sums.endIndex
    if first > 0, keys[first - 1] < upper.key { lower = BracketEnd(key: keys[first - 1], demand: sums[first - 1]) }
    if first < sums.endIndex { upper = BracketEnd(key: keys[first], demand: sums[first]) }
    points += zip(keys, sums).map { MeasuredPoint(key: $0, demand: $1) }
    points.sort { $0.key < $1.key }
    let left = UInt64(bitPattern: upper.key &- lower.key)
    let isPoor = left > width / UInt64(keys.count + 1)
    poorRounds = isPoor && (wasMeasured || keys.count > 1) ? poorRounds + 1 : 0
  }
}
