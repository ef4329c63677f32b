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
  /// Where another search says the answer is.
  private(set) var firstGuess: CrossingGuess?
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
      hints = (other.points + other.hints).map {
        MeasuredPoint(key: moved($0.key), demand: $0.demand)
      }
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
