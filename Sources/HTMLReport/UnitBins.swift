/// Neighbouring units that share one mark, so that a chart of 10,000 units has 100 marks.
struct UnitBins: Sendable {
  static let most = 100
  /// Up to so many units have a row of their own with their name.
  static let mostRows = 40

  let ranges: [Range<Int>]

  init(count: Int) {
    let size = (count + Self.most - 1) / Self.most
    ranges = stride(from: 0, to: count, by: max(size, 1)).map { $0..<min($0 + size, count) }
  }

  struct Spread: Sendable, Equatable {
    let least: Double
    let median: Double
    let largest: Double

    /// Nil without a value. The median of an even number of values is the lower of the middle two, a
    /// value that some unit has.
    init?(_ values: [Double]) {
      let sorted = values.sorted()
      guard let first = sorted.first, let last = sorted.last else { return nil }
      least = first
      largest = last
      median = sorted[(sorted.count - 1) / 2]
    }
  }

  func spreads(of values: [Double?]) -> [Spread?] {
    ranges.map { range in Spread(values[range].compactMap { $0 }) }
  }

  var isAggregated: Bool { ranges.contains { $0.count > 1 } }
}
