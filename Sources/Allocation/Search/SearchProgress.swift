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
  private(set) var points: [MeasuredPoint] = []
  /// What a search for almost the same has measured, moved to where this one would have.
  private(set) var hints: [MeasuredPoint] = []
  /// Set by a first round that asked a sample only.
  var sampled: SampledCurve?
  /// What another search says about this one.
  private(set) var moved: Moved?
  /// Where that says the answer is.
  var firstGuess: CrossingGuess? { moved?.guess }
  /// Units of all ranks that are still in the search.
  var activeUnits: Int
  /// Rounds that measured the demand.
  private(set) var rounds = 0
  /// Rounds after which all measurements were on one side.
  private(set) var misses = 0
  /// Rounds in a row that got on less than even parts would have.
  private(set) var poorRounds = 0
  /// Whether the target is what the demand is at the top.
  private(set) var asksForLowest = false
  /// Where the answer was thought to be before the last round, and how wide the bracket was.
  private(set) var lastGuess: CrossingGuess?
  private(set) var lastWidth = 0.0
  /// Keys that ranks propose to try, ascending.
  private(set) var proposals: [Int64] = []
  /// Other keys at which ranks see their demand fall by much, ascending.
  private(set) var falls: [Int64] = []
  /// How far apart the proposals were, with those that turned out to be beyond the bracket.
  private(set) var proposalSpread = 0.0

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

  /// What a search for almost the same says about this one.
  struct Moved {
    /// Its best guess, and where that would be in this one.
    let origin: CrossingGuess
    let guess: CrossingGuess
    /// What it has measured, as it would be in this one.
    var points: [MeasuredPoint] = []
    /// By which part of what the guess moves that is likely to be off, where it goes by the points.
    var error = 0.0
    /// Keys that differ by less may be one to the demand.
    var grain = 4.0
    /// Units that are left in both.
    var units: Int?
  }

  /// Begins where a search for almost the same has come, and does not ask a sample again.
  mutating func begin(near other: SearchProgress, moved: Moved?) {
    sampled = sampled ?? other.sampled
    (proposals, falls, proposalSpread) = (other.proposals, other.falls, other.proposalSpread)
    (misses, rounds) = (other.misses, other.rounds)
    guard let moved else { return }
    self.moved = moved
    activeUnits = moved.units ?? activeUnits
    hints = moved.points.filter { lower.key < $0.key && $0.key < upper.key }
  }

  /// Takes in bounds that are known from elsewhere.
  mutating func narrow(to bracket: CarriedBracket) {
    guard !asksForLowest else { return }
    func end(_ key: Int64) -> BracketEnd {
      BracketEnd(key: key, demand: points.first { $0.key == key }?.demand)
    }
    if let key = bracket.lower, lower.key < key, key < upper.key { lower = end(key) }
    if let key = bracket.upper, lower.key < key, key < upper.key { upper = end(key) }
    (proposals, falls) = (proposals.filter(isWithin), falls.filter(isWithin))
  }

  /// Whether the answer may be that key.
  private func isWithin(_ key: Int64) -> Bool { lower.key < key && key <= upper.key }

  /// ⌊log₂⌋ of the keys among which the answer is.
  var bracketBits: Int {
    Self.bits(of: lower.key...upper.key)
  }

  /// ⌊log₂⌋ of the width of a bracket.
  static func bits(of bracket: ClosedRange<Int64>) -> Int {
    let width = UInt64(bitPattern: bracket.upperBound &- bracket.lowerBound)
    return max(UInt64.bitWidth - width.leadingZeroBitCount - 1, 0)
  }

  /// Whether the demand is known at both ends, with room between them.
  var isBracketed: Bool {
    lower.demand != nil && upper.demand != nil && bracketBits > 0
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

  /// Takes in what the ranks propose to try next.
  mutating func proposed(_ keys: [Int64], and others: [Int64]) {
    (proposals, falls) = (keys.filter(isWithin), others.filter(isWithin))
    proposalSpread = OrderedKey.distance(keys.first ?? 0, keys.last ?? 0)
  }

  /// Of a first round that asks a sample only: one unit of about so many.
  var sampleStride: Int? {
    guard let outlook, method == .accelerated, points.isEmpty, sampled == nil,
      firstGuess == nil
    else { return nil }
    return outlook.sampleStride(ranks: ranks)
  }

  /// Whether more than a sample has been asked.
  var hasMeasured: Bool { !points.isEmpty }

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
