/// Where an answer is likely to be, and how much work a trial is.
struct SearchOutlook: Sendable {
  /// Keys of doubles among which the answer probably is.
  let likely: ClosedRange<Int64>
  /// Units of all ranks.
  let totalUnits: Int
  /// The key from which the demand is as low as it gets, as far as known.
  var last: Int64?
  /// The key up to which many units ask for all or nothing, each at a key of its own.
  var lastJump: Int64?

  /// About `count` trial keys of a first round, and the bracket's top.
  func grid(_ count: Int, in bracket: ClosedRange<Int64>) -> [Int64] {
    TrialPlacement(between: bracket.lowerBound, and: bracket.upperBound).grid(count, over: likely)
      + [bracket.upperBound]
  }

  /// How many units stand for one in a first round that asks a sample only; nil for few units.
  func sampleStride(ranks: Int) -> Int? {
    let perRank = totalUnits / ranks
    guard perRank > 1024 else { return nil }
    return perRank / min(max(perRank / 16, 512), 4096)
  }

  /// Terms per rank and round that take about as long as an allreduce does: some 40 µs within a process,
  /// 150 µs between processes.
  static func terms(ranks: Int) -> Int { ranks == 1 ? 1 << 15 : 1 << 17 }
}
