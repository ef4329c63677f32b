/// One unit of the spectrum program: what each further rank is worth to it.
public struct SpectrumUnit: Sendable, Equatable {
  /// Position in the plan, 0 ..< total units.
  public let index: Int
  /// v, the loss that ranks 1, 2, ... each take away: not negative, never rising. Their number is the
  /// largest rank that makes a difference.
  public let decreases: [Double]
  /// c, budget units per rank; positive.
  public let cost: Double
  /// Smallest rank allowed.
  public let lower: Double
  /// Largest rank allowed; may be infinite.
  public let upper: Double

  public init(index: Int, decreases: [Double], cost: Double, lower: Double, upper: Double) {
    self.index = index
    self.decreases = decreases
    self.cost = cost
    self.lower = lower
    self.upper = upper
  }

  /// Σ of the first `rank` decreases, in their order; all of them where there are fewer.
  public func decrease(ofRank rank: Int) -> Double {
    decreases.prefix(max(rank, 0)).reduce(0, +)
  }
}

/// The capacity program with measured values instead of a formula: LoRA ranks from spectra.
///
///     max Σ_k Σ_{i ≤ r_k} v_{k,i}   subject to   Σ c r ≤ B,  l ≤ r ≤ min(u, number of v)
///
/// v_i = ½ σ_i² falls, so the value of a unit is concave in its rank and the optimum one threshold on
/// v/c over all units (docs/theory/programs.md).
public struct SpectrumProgram: Sendable, Equatable {
  /// B, in the unit of the costs; positive.
  public var budget: Double
  /// `asPriced` buys no rank that takes no loss away.
  public var spend = CapacityProgram.Spend.asPriced
  /// Ranks are multiples of this.
  public var step = 1

  public init(budget: Double) {
    self.budget = budget
  }

  /// The bounds as the program keeps them: whole multiples of the step, no more than there are
  /// decreases.
  public func bounds(of unit: SpectrumUnit) -> (lower: Int, upper: Int) {
    let (lower, upper) = stepBounds(of: unit)
    return (lower * step, upper * step)
  }

  /// The same counted in steps. - Precondition: the unit is valid.
  func stepBounds(of unit: SpectrumUnit) -> (lower: Int, upper: Int) {
    let largest = min(unit.upper, Double(unit.decreases.count)) / Double(step)
    return (Int((unit.lower / Double(step)).rounded(.up)), Int(largest.rounded(.down)))
  }

  func validate() throws(AllocationError) {
    let advice = "see layerbudget allocate --help"
    guard budget > 0, budget.isFinite else {
      throw .invalid(
        what: "the budget", value: "\(budget)", limit: "positive and finite", advice: advice)
    }
    guard step >= 1 else {
      throw .invalid(what: "the multiple", value: "\(step)", limit: "at least 1", advice: advice)
    }
  }

  /// Rejects values that no spectrum has and bounds without a rank between them.
  func validate(_ unit: SpectrumUnit) throws(AllocationError) {
    func require(
      _ good: Bool, _ what: String, _ value: String, _ limit: String, _ advice: String
    ) throws(AllocationError) {
      guard !good else { return }
      throw .invalid(
        what: what, unit: unit.index, value: value, limit: limit, advice: advice)
    }
    try require(
      unit.cost > 0 && unit.cost.isFinite, "the cost", "\(unit.cost)", "positive and finite",
      "use --fix for units that must not take part")
    let sum = unit.decreases.reduce(0, +)
    // A price is a value per cost: the largest must be a number.
    try require(
      sum.isFinite && sum / unit.cost <= .greatestFiniteMagnitude
        && unit.decreases.allSatisfy { $0 >= 0 }
        && zip(unit.decreases, unit.decreases.dropFirst()).allSatisfy { $0 >= $1 },
      "the spectrum", "\(sum) in sum", "finite, not negative and never rising",
      "look for absurdly large gradients or tiny curvature")
    try require(
      unit.lower >= 0 && unit.lower <= Double(unit.decreases.count), "the lower bound",
      "\(unit.lower)",
      "0 to \(unit.decreases.count), the rank at which the largest module is full",
      "give such units bounds of their own with --bounds")
    let (lower, upper) = stepBounds(of: unit)
    try require(
      upper >= lower, "the range \(unit.lower) to \(unit.upper)",
      "without a multiple of \(step) up to rank \(unit.decreases.count)", "a range that holds one",
      "widen --min and --max or lower --multiple-of")
  }
}

/// The answer of the spectrum program for the units of this rank, with the totals of all ranks.
public struct SpectrumSolution: Sendable, Equatable {
  /// λ, the loss that one more unit of budget takes away.
  public let price: Double
  /// Ranks of this rank's units, in their order; multiples of the step.
  public let ranks: [Int]
  /// Σ c r over all ranks; never above the budget.
  public let spent: Double
  /// The ranks where the last step bought may be bought in part: the optimum of the relaxed program.
  public let continuous: [Double]
  /// Σ c x of those.
  public let spentContinuous: Double
  public let certificate: Certificate
}
