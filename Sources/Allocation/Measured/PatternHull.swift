/// One unit's part of a program over N:M patterns.
public struct PatternUnit: Sendable, Equatable {
  public let unit: PruningUnit
  /// Whole groups of M inputs in the unit; N:M removes N of each.
  public let groups: Int
  /// What each of the allowed patterns costs, in their order.
  public let costs: [Double]

  public init(unit: PruningUnit, groups: Int, costs: [Double]) {
    self.unit = unit
    self.groups = groups
    self.costs = costs
  }

  /// The patterns that the unit's bounds allow, with the weights they remove: ascending, distinct.
  func choices(among patterns: SparsityPatterns) -> [PatternHull.Choice] {
    let weights = Double(unit.weights)
    var choices: [PatternHull.Choice] = []
    for (zeros, cost) in zip(patterns.zeros, costs) {
      let removed = zeros * groups
      let share = Double(removed)
      guard share >= weights * unit.lower, share <= weights * unit.upper,
        removed != choices.last?.removed
      else { continue }
      choices.append(.init(zeros: zeros, removed: removed, cost: cost))
    }
    return choices
  }
}

/// The lower convex hull of one unit's patterns: costs over weights removed. Only its corners can be
/// the best answer at some price.
struct PatternHull: Sendable {
  struct Choice: Sendable, Equatable {
    let zeros: Int
    let removed: Int
    let cost: Double
  }

  let index: Int
  /// Ascending in weights removed; at least one.
  let corners: [Choice]
  /// `OrderedKey` of the cost per weight of the step from corner i to i + 1; never falling.
  let stepKeys: [Int64]

  /// - Precondition: at least one choice, ascending, their costs finite.
  init(index: Int, _ choices: [Choice]) {
    var corners: [Choice] = []
    for choice in choices {
      while corners.count >= 2 {
        let last = corners[corners.count - 1]
        let slope = Self.slope(corners[corners.count - 2], last)
        guard slope > Self.slope(last, choice) else { break }
        corners.removeLast()
      }
      corners.append(choice)
    }
    self.index = index
    self.corners = corners
    stepKeys = zip(corners, corners.dropFirst()).map { OrderedKey.key(of: Self.slope($0, $1)) }
  }

  private static func slope(_ from: Choice, _ to: Choice) -> Double {
    (to.cost - from.cost) / Double(to.removed - from.removed)
  }

  /// The corner that is reached by all steps whose key is at most `key`.
  func corner(at key: Int64) -> Int {
    var corner = 0
    while corner < stepKeys.count, stepKeys[corner] <= key { corner += 1 }
    return corner
  }
}

/// −Σ of the weights that steps up to a price remove.
struct HullDemand: DemandCurve {
  func point(at key: Int64) -> Int64 { key }
  func term(of unit: PatternHull, at key: Int64) -> Int128 {
    -Int128(unit.corners[unit.corner(at: key)].removed)
  }
}
