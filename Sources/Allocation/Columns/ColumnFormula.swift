/// What four units ask for at once, by the same operations in the same order as the plain formula of one.
protocol LaneFormula: Sendable {
  /// What a key stands for.
  associatedtype Point
  func point(at key: Int64) -> Point
  /// Postcondition: every lane has the bits of the plain term, but for the sign of a zero.
  func terms(of units: LaneGroup, at point: Point) -> Lanes
  /// Units that ask for `factor` times as much at every key.
  func scaled(_ units: LaneGroup, by factor: Double) -> LaneGroup
}

/// min(c x, 2 B), as `CapacityDemand` and `UnpricedDemand` have it for the logarithm.
///
/// `first` is γ_k q^β, `second` a and `third` c.
struct CapacityFormula: LaneFormula {
  /// Which of the two numbers the key stands for.
  enum Searched: Sendable {
    case price(gamma: Double)
    case gamma
    /// Of all γ and prices within bounds the corner where units ask for least, at key 0, and that where they
    /// ask for most.
    case corners(least: Point, most: Point)
  }
  /// γ and λ.
  struct Point {
    let gamma: Double
    let price: Double
  }
  private let offset: Lanes
  private let saturation: Lanes
  private let searched: Searched

  init(offset: Double, saturation: Double, searched: Searched) {
    self.offset = Lanes(repeating: offset)
    self.saturation = Lanes(repeating: saturation)
    self.searched = searched
  }

  /// Asks for nothing at any price.
  static let filler = LaneGroup(
    first: .zero, second: .one, third: .one, lower: .zero, upper: .zero)

  @inline(__always)
  func point(at key: Int64) -> Point {
    switch searched {
    case .price(let gamma): Point(gamma: gamma, price: OrderedKey.value(of: key))
    case .gamma: Point(gamma: OrderedKey.value(of: key), price: 0)
    case .corners(let least, let most): key == 0 ? least : most
    }
  }

  @inline(__always)
  func terms(of units: LaneGroup, at point: Point) -> Lanes {
    let denominator = units.second + point.price * units.third
    // w/0 is infinite and becomes u; 0/0 is no number and becomes l, as a comparison with it is false.
    var capacity = (point.gamma * units.first) / denominator - offset
    capacity = units.lower.replacing(with: capacity, where: capacity .> units.lower)
    capacity = units.upper.replacing(with: capacity, where: capacity .< units.upper)
    if point.price < 0 {
      capacity = capacity.replacing(with: units.upper, where: denominator .< 0)
    }
    let terms = units.third * capacity
    return terms.replacing(with: saturation, where: terms .> saturation)
  }
}

extension CapacityFormula {
  func scaled(_ units: LaneGroup, by factor: Double) -> LaneGroup {
    // The same x, of larger units.
    LaneGroup(
      first: factor * units.first, second: factor * units.second, third: factor * units.third,
      lower: units.lower, upper: units.upper)
  }
}

/// n ρ for ψ = ρ², as `PruningDemand` has it.
///
/// `first` is n, `second` η q^κ w and `third` τ d.
struct QuadraticFormula: LaneFormula {
  func point(at key: Int64) -> Double { OrderedKey.value(of: key) }

  @inline(__always)
  func terms(of units: LaneGroup, at mu: Double) -> Lanes {
    let pull = (mu + units.third) * units.first
    return units.first * units.clipped(pull / (2 * units.second))
  }
}

/// n ρ for ψ = −log(1 − ρ), as `PruningDemand` has it; columns as in `QuadraticFormula`.
struct LogFormula: LaneFormula {
  func point(at key: Int64) -> Double { OrderedKey.value(of: key) }

  @inline(__always)
  func terms(of units: LaneGroup, at mu: Double) -> Lanes {
    let pull = (mu + units.third) * units.first
    let share = units.clipped(1 - units.second / pull)
    return units.first * share.replacing(with: units.lower, where: pull .< 0)
  }
}

extension LaneFormula where Point == Double {
  func scaled(_ units: LaneGroup, by factor: Double) -> LaneGroup {
    // The same ρ, of larger units.
    LaneGroup(
      first: factor * units.first, second: factor * units.second, third: units.third,
      lower: units.lower, upper: units.upper)
  }
}

extension LaneGroup {
  /// A pruning unit without weights to lose.
  static let unprunable = LaneGroup(
    first: .one, second: .one, third: .zero, lower: .zero, upper: .zero)

  /// The share within the bounds. 0/0, a unit of zero resistance that is neither pulled nor pushed, is
  /// no number and becomes the upper bound: comparisons with it are false.
  @inline(__always)
  fileprivate func clipped(_ share: Lanes) -> Lanes {
    let least = share.replacing(with: lower, where: lower .> share)
    return upper.replacing(with: least, where: least .< upper)
  }
}
