/// The answer of the capacity program for the units of this rank, with the totals of all ranks.
public struct CapacitySolution: Sendable, Equatable {
  /// λ, the worth of one more unit of budget.
  public let price: Double
  /// γ as resolved.
  public let gamma: Double
  /// x of this rank's units, in their order.
  public let continuous: [Double]
  /// Σ c x over all ranks.
  public let spent: Double
  /// Whole-number capacities, when they were asked for.
  public let integer: CapacityIntegers?
  public let certificate: Certificate
  /// dx/dB of this rank's units; see `Sensitivities`.
  public let budgetSensitivities: [Double]
  /// What each unit's active bound is worth per unit of capacity, ≥ 0.
  public let boundWorths: [Double]
}

/// Whole-number capacities of this rank's units.
public struct CapacityIntegers: Sendable, Equatable {
  public let values: [Int]
  /// Σ c x over all ranks; never above the budget.
  public let spent: Double
  /// The price of the whole-number search.
  public let price: Double
}

/// Numbers by which a plan can be checked without solving it again.
///
/// For whole numbers the dual value bounds the best integer plan from below as well, so
/// `integralityGap` bounds how far the integers are from the best ones.
public struct Certificate: Sendable, Equatable {
  /// The objective at the continuous answer.
  public let primal: Double
  /// The Lagrangian minimum at the price: a lower bound of every feasible plan's objective.
  public let dual: Double
  /// primal − dual.
  public let gap: Double
  /// The largest violation of a unit's optimality condition, relative to the terms that cancel in
  /// it: dimensionless; a few units of rounding (1e-15) at an optimum.
  public let stationarityResidual: Double
  /// Largest excess over the budget, in budget units; 0 when it is kept.
  public let feasibilityResidual: Double
  /// |price · budget left|, in objective units.
  public let complementarityResidual: Double
  /// The largest of the three, each relative to its own scale.
  public let kktResidual: Double
  /// Budget minus what the continuous answer spends.
  public let budgetLeft: Double
  /// Objective at the integers minus the dual value, when there are integers.
  public let integralityGap: Double?
  /// Budget minus what the integers spend.
  public let integerBudgetLeft: Double?
  public let unitsAtLower: Int
  public let unitsAtUpper: Int
  /// The objective's strong convexity over what bounds and budget leave, over the units that are not
  /// linear, and the largest curvature divided by it; nil where that is not known.
  public var modulus: Double?
  public var conditionNumber: Double?
}
