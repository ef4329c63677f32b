/// The answer of the pruning program for the units of this rank, with the totals of all ranks.
public struct PruningSolution: Sendable, Equatable {
  /// λ = b − μ.
  public let price: Double
  /// μ, the number that was searched.
  public let mu: Double
  /// S, the whole number of weights to remove from all units.
  public let target: Int
  /// Σ n over all ranks.
  public let totalWeights: Int
  /// ρ of this rank's units, in their order.
  public let continuous: [Double]
  /// Whole numbers of weights to remove; they add up to `target` over all ranks.
  public let integers: [Int]
  /// Σ n ρ over all ranks.
  public let spent: Double
  public let certificate: Certificate
  /// dρ/dS of this rank's units: the share more of each for one more weight removed in all.
  public var budgetSensitivities: [Double] = []
  /// What each unit's active bound is worth per unit of its share, ≥ 0.
  public var boundWorths: [Double] = []
}
