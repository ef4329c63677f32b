/// One unit's part of the capacity program.
public struct CapacityUnit: Sendable, Equatable {
  /// Position in the plan, 0 ..< total units.
  public let index: Int
  /// q, dimensionless, non-negative.
  public let quality: Double
  /// c, budget units per unit of capacity; positive.
  public let cost: Double
  /// Smallest capacity allowed.
  public let lower: Double
  /// Largest capacity allowed; may be infinite.
  public let upper: Double
  /// In the place of the program's α, where the unit has its own.
  public let alpha: Double?
  /// γ_k, multiplies the program's γ.
  public let gammaFactor: Double

  public init(
    index: Int, quality: Double, cost: Double, lower: Double, upper: Double, alpha: Double? = nil,
    gammaFactor: Double = 1
  ) {
    self.index = index
    self.quality = quality
    self.cost = cost
    self.lower = lower
    self.upper = upper
    self.alpha = alpha
    self.gammaFactor = gammaFactor
  }

  /// The same unit with another quality.
  public func with(quality: Double) -> CapacityUnit {
    CapacityUnit(
      index: index, quality: quality, cost: cost, lower: lower, upper: upper, alpha: alpha,
      gammaFactor: gammaFactor)
  }
}

/// The capacity program: expert slots, LoRA ranks or bytes under one budget.
///
///     min Σ a x − γ γ_k q^β log(s + x)   subject to   Σ c x ≤ B,  l ≤ x ≤ u
///
/// or (s + x)^θ/θ in the place of the logarithm. For the logarithm its solution is
/// x(λ) = clip(γ γ_k q^β / (a + λ c) − s, l, u) at the price λ of the budget (docs/theory/programs.md;
/// arXiv 2603.00910). γ_k is 1 but for units with a factor of their own.
public struct CapacityProgram: Sendable, Equatable {
  public enum AlphaPer: String, CaseIterable, Sendable {
    /// a = α c, with the unit's own α where it has one: keeping capacity costs in proportion to its size.
    case cost
    /// a = α.
    case slot
  }
  public enum Gamma: Sendable, Equatable {
    /// The smallest γ for which the demand at price 0 is 1.25 B.
    case automatic
    case fixed(Double)
  }
  public enum Spend: String, CaseIterable, Sendable {
    /// λ ≥ 0; what is not worth buying is left over.
    case asPriced = "as-priced"
    /// λ may fall below 0 until the budget is spent or every unit is at its upper bound.
    case all
  }

  public enum Utility: Sendable, Equatable {
    /// log(s + x).
    case log
    /// (s + x)^θ/θ with 1e-6 ≤ θ < 1: returns fall slower than those of log.
    case power(Double)
  }

  /// B, in the unit of the costs; positive.
  public var budget: Double
  public var alpha = 0.5
  public var alphaPer = AlphaPer.cost
  public var beta = 1.0
  public var gamma = Gamma.automatic
  /// s; positive.
  public var offset = 1.0
  public var spend = Spend.asPriced
  public var utility = Utility.log
  /// Whole-number capacities are multiples of this.
  public var step = 1

  public init(budget: Double) {
    self.budget = budget
  }

  /// a, the running cost of one unit of capacity.
  func runningCost(of unit: CapacityUnit) -> Double {
    let alpha = unit.alpha ?? alpha
    return alphaPer == .cost ? alpha * unit.cost : alpha
  }

  /// Rejects parameters outside their ranges; unit values are checked by `CapacityUnit.validate`.
  func validate() throws(AllocationError) {
    func require(
      _ good: Bool, _ what: String, _ value: Double, _ limit: String
    ) throws(AllocationError) {
      guard !good else { return }
      throw .invalid(
        what: what, value: "\(value)", limit: limit, advice: "see layerbudget allocate --help")
    }
    let most = Self.largest
    try require(budget > 0 && budget <= most, "the budget", budget, "positive, at most 2^200")
    try require(alpha >= 0 && alpha <= most, "alpha", alpha, "not negative, at most 2^200")
    try require(beta >= 0 && beta.isFinite, "beta", beta, "zero or positive")
    try require(
      offset >= 1 / most && offset <= most, "the offset", offset, "between 2^-200 and 2^200")
    if case .power(let theta) = utility {
      // Nearer to 0 the digits of (s + x)^θ/θ go to its constant 1/θ; the logarithm is the limit.
      try require(
        theta >= 1e-6 && theta < 1, "the exponent of the utility", theta, "from 1e-6 to below 1")
    }
    try require(step >= 1, "the multiple", Double(step), "at least 1")
    if case .fixed(let gamma) = gamma {
      try require(gamma > 0 && gamma <= most, "gamma", gamma, "positive, at most 2^200")
    }
  }

  /// Nothing that is multiplied may be larger, and nothing that divides smaller than its inverse, so that
  /// products, quotients and their sums stay finite.
  static let largest = 0x1p200
}

/// The numbers of one unit that the closed form needs: 40 bytes.
struct PricedCapacity: Sendable {
  /// γ γ_k q^β.
  let weight: Double
  /// a.
  let runningCost: Double
  let cost: Double
  let lower: Double
  let upper: Double

  init(_ unit: CapacityUnit, program: CapacityProgram, gamma: Double) {
    weight = gamma * (unit.gammaFactor * power(unit.quality, program.beta))
    runningCost = program.runningCost(of: unit)
    cost = unit.cost
    lower = unit.lower
    upper = unit.upper
  }

  private init(weight: Double, of unit: PricedCapacity) {
    self.weight = weight
    runningCost = unit.runningCost
    cost = unit.cost
    lower = unit.lower
    upper = unit.upper
  }

  /// The same unit with γ, where its weight was γ_k q^β.
  func scaled(by gamma: Double) -> PricedCapacity {
    PricedCapacity(weight: gamma * weight, of: self)
  }
}
