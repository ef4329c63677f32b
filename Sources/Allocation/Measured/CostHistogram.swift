/// How the costs of one unit's weights are distributed: its cost curve, in the places that are
/// occupied. A few thousand of them hold billions of weights.
public struct CostHistogram: Sendable, Equatable {
  /// All weights whose keys agree in the bits that were looked at.
  public struct Place: Sendable, Equatable {
    let number: Int
    let count: Int
    /// Σ s of them.
    let sum: Double
  }

  /// Ascending, none empty.
  let places: [Place]

  /// Weights in all places.
  public var count: Int { places.reduce(0) { $0 + $1.count } }
  /// Σ s of all weights, added place by place.
  public var total: Double { places.reduce(0) { $0 + $1.sum } }

  /// Σ s of the `count` smallest costs.
  ///
  /// Of a place that is taken in part, its mean cost is charged for each weight. That is never too
  /// little, and too much by at most the width of the place for each of its weights taken: 1/32 of
  /// their cost among bins, 2⁻²⁰ among the keys of a bin. At the ends of places it is exact.
  /// - Complexity: O(places).
  public func cost(ofSmallest count: Int) -> Double {
    var left = count
    var cost = 0.0
    for place in places where left > 0 {
      let taken = min(left, place.count)
      cost += taken == place.count ? place.sum : place.sum * (Double(taken) / Double(place.count))
      left -= taken
    }
    return cost
  }

  /// How many weights lie in places before `number`.
  func count(before number: Int) -> Int {
    places.reduce(0) { $1.number < number ? $0 + $1.count : $0 }
  }
}

/// Counts the costs of one unit after another.
///
/// One counter serves all units of a rank: what it holds in full is this one array of places, and a
/// finished unit leaves as a `CostHistogram`. Sums are added in the order of the weights, and one
/// rank has all weights of a unit, so their bits do not depend on the ranks.
public struct CostCounter: Sendable {
  /// Which bits of the keys are looked at.
  public enum Resolution: Sendable, Equatable {
    /// The upper 16 bits of all keys.
    case bins
    /// The lower 15 bits of the keys in one bin.
    case keys(ofBin: Int)
  }

  private let resolution: Resolution
  private var counts: [Int]
  private var sums: [Double]

  public init(_ resolution: Resolution) {
    self.resolution = resolution
    let places = resolution == .bins ? CostKey.bins : CostKey.keysOfBin
    counts = .init(repeating: 0, count: places)
    sums = .init(repeating: 0, count: places)
  }

  /// Counts costs s of the present unit by the keys of factor · s; the sums are of s itself.
  /// - Precondition: no cost is negative or NaN, and neither is the factor.
  public mutating func add(_ costs: Span<Double>, factor: Double) {
    switch resolution {
    case .bins:
      for index in costs.indices {
        let place = CostKey.key(of: factor * costs[index]) >> 15
        counts[place] += 1
        sums[place] += costs[index]
      }
    case .keys(let bin):
      for index in costs.indices {
        let key = CostKey.key(of: factor * costs[index])
        guard key >> 15 == bin else { continue }
        counts[key & 0x7FFF] += 1
        sums[key & 0x7FFF] += costs[index]
      }
    }
  }

  /// The histogram of the present unit; the next one starts at 0.
  public mutating func finish() -> CostHistogram {
    var places: [CostHistogram.Place] = []
    for number in counts.indices where counts[number] > 0 {
      places.append(.init(number: number, count: counts[number], sum: sums[number]))
      counts[number] = 0
      sums[number] = 0
    }
    return CostHistogram(places: places)
  }
}
