/// Where an answer is likely to be, and how much work a trial is.
struct SearchOutlook: Sendable {
  /// Keys of doubles among which the answer probably is.
  let likely: ClosedRange<Int64>
  /// Units of all ranks.
  let totalUnits: Int
  /// The key from which the demand is as low as it gets, as far as known.
  var last: Int64?
  /// The keys among which many units turn from all to nothing, each at a key of its own.
  var flight: ClosedRange<Int64>?
  /// Where the first unit begins to ask for more than its lower bound.
  var edge: DemandEdge?

  /// The trial keys of a first round: about `count`, more where the demand may bend much, and the bracket's top.
  func grid(_ count: Int, in bracket: ClosedRange<Int64>) -> [Int64] {
    let placement = TrialPlacement(between: bracket.lowerBound, and: bracket.upperBound)
    let jumping = flight.map {
      TrialPlacement(between: $0.lowerBound, and: $0.upperBound).spread(48)
    }
    let keys = placement.grid(count, over: likely) + (edge?.keys ?? []) + (jumping ?? [])
    return placement.within(keys) + [bracket.upperBound]
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
