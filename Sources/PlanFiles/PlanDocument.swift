/// A plan file: what every unit gets, under one budget, with a certificate.
///
/// `layerbudget.plan/1`; the fields are listed in docs/formats.md. Nothing in it depends on the
/// number of ranks, the search method, paths or time.
public struct PlanDocument: Codable, Sendable, Equatable {
  public static let format = "layerbudget.plan/1"

  public enum Program: String, Codable, Sendable {
    case capacity
    case pruning
  }

  public var format = PlanDocument.format
  public var program: Program
  /// Every option as resolved.
  public var parameters: [String: ParameterValue]
  /// λ.
  public var price: Double
  /// B, or S as a number of weights.
  public var budget: Double
  /// What the continuous answer uses of it.
  public var spent: Double
  /// What the whole numbers use of it.
  public var spentInteger: Double?
  public var units: [Unit]
  public var certificate: Certificate
  public var inputs: [String: InputFingerprint]
  public var notes: [String]
  /// Pruning with a checkpoint: Σ s of the weights that the plan removes, the loss to second order.
  public var predictedLossChange: Double?
  /// The same for other ways to divide the same sparsity, by their names.
  public var predictedLossChanges: [String: Double]?
  /// Allocation by spectra: how much the whole numbers lower the local quadratic model of the loss.
  public var predictedLossDecrease: Double?
  /// The same for other ways to divide the same budget, by their names.
  public var predictedLossDecreases: [String: Double]?
  /// What the noise of the gains is expected to cost the plan, in units of the objective; where the
  /// gains hold folds.
  public var noiseRegret: Double?

  enum CodingKeys: String, CodingKey {
    case format, program, parameters, price, budget, spent, units, certificate, inputs, notes
    case spentInteger = "spent_integer"
    case predictedLossChange = "predicted_loss_change"
    case predictedLossChanges = "predicted_loss_changes"
    case predictedLossDecrease = "predicted_loss_decrease"
    case predictedLossDecreases = "predicted_loss_decreases"
    case noiseRegret = "noise_regret"
  }

  public init(
    program: Program, parameters: [String: ParameterValue], price: Double, budget: Double,
    spent: Double, spentInteger: Double?, units: [Unit], certificate: Certificate,
    inputs: [String: InputFingerprint], notes: [String]
  ) {
    self.program = program
    self.parameters = parameters
    self.price = price
    self.budget = budget
    self.spent = spent
    self.spentInteger = spentInteger
    self.units = units
    self.certificate = certificate
    self.inputs = inputs
    self.notes = notes
  }

  public struct Unit: Codable, Sendable, Equatable {
    public var name: String
    public var gain: Double
    /// Standard error of the gain, where the statistics hold folds.
    public var standardError: Double?
    /// What sampling noise alone adds to the gain, as predicted; only without folds.
    public var predictedNoise: Double?
    /// ½ Σ w² h of the unit; only with a checkpoint, or from scores that hold it.
    public var damage: Double?
    public var quality: Double
    /// Capacity: x. Pruning: ρ, the share of weights to remove.
    public var continuous: Double
    /// Capacity: whole slots or ranks. Pruning: weights to remove.
    public var integer: Int?
    public var lower: Double
    /// Infinite where there is no bound; `null` in the file.
    public var upper: Double
    /// Budget units per unit of capacity.
    public var cost: Double?
    /// Capacity: α and the factor of γ of this unit alone, where they were given.
    public var alpha: Double?
    public var gammaFactor: Double?
    /// Weights in the unit.
    public var weights: Int?
    /// Names of the unit's modules, where the scores name them.
    public var modules: [String]?
    /// N:M pruning: `j:M`, j of every M consecutive inputs of a row are removed.
    public var pattern: String?
    /// `lower`, `upper`, or `null` in the file.
    public var atBound: String?
    /// dx/dB, or for pruning dρ/dS: what the unit gets of one more unit of budget.
    public var budgetSensitivity: Double?
    /// By how much the objective falls per unit that the active bound gives way; 0 without one.
    public var boundWorth: Double?
    /// Jackknife over folds: standard error of `continuous`, and its range with one fold left out.
    public var continuousStandardError: Double?
    public var continuousRange: [Double]?

    enum CodingKeys: String, CodingKey {
      case name, gain, quality, continuous, integer, lower, upper, cost, weights, modules, pattern
      case damage, alpha
      case gammaFactor = "gamma_factor"
      case atBound = "at_bound"
      case standardError = "standard_error"
      case predictedNoise = "predicted_noise"
      case budgetSensitivity = "budget_sensitivity"
      case boundWorth = "bound_worth"
      case continuousStandardError = "continuous_standard_error"
      case continuousRange = "continuous_range"
    }

    public init(
      name: String, gain: Double, standardError: Double? = nil, predictedNoise: Double? = nil,
      quality: Double, continuous: Double, integer: Int?, lower: Double, upper: Double,
      cost: Double?, weights: Int?, modules: [String]? = nil, pattern: String? = nil
    ) {
      self.standardError = standardError
      self.predictedNoise = predictedNoise
      self.name = name
      self.gain = gain
      self.quality = quality
      self.continuous = continuous
      self.integer = integer
      self.lower = lower
      self.upper = upper
      self.cost = cost
      self.weights = weights
      self.modules = modules
      self.pattern = pattern
      self.atBound = continuous == lower ? "lower" : continuous == upper ? "upper" : nil
    }

    public init(from decoder: any Decoder) throws {
      let fields = try decoder.container(keyedBy: CodingKeys.self)
      name = try fields.decode(String.self, forKey: .name)
      gain = try fields.decode(Double.self, forKey: .gain)
      standardError = try fields.decodeIfPresent(Double.self, forKey: .standardError)
      predictedNoise = try fields.decodeIfPresent(Double.self, forKey: .predictedNoise)
      quality = try fields.decode(Double.self, forKey: .quality)
      continuous = try fields.decode(Double.self, forKey: .continuous)
      integer = try fields.decodeIfPresent(Int.self, forKey: .integer)
      lower = try fields.decode(Double.self, forKey: .lower)
      upper = try fields.decodeIfPresent(Double.self, forKey: .upper) ?? .infinity
      cost = try fields.decodeIfPresent(Double.self, forKey: .cost)
      alpha = try fields.decodeIfPresent(Double.self, forKey: .alpha)
      gammaFactor = try fields.decodeIfPresent(Double.self, forKey: .gammaFactor)
      weights = try fields.decodeIfPresent(Int.self, forKey: .weights)
      modules = try fields.decodeIfPresent([String].self, forKey: .modules)
      pattern = try fields.decodeIfPresent(String.self, forKey: .pattern)
      damage = try fields.decodeIfPresent(Double.self, forKey: .damage)
      atBound = try fields.decodeIfPresent(String.self, forKey: .atBound)
      budgetSensitivity = try fields.decodeIfPresent(Double.self, forKey: .budgetSensitivity)
      boundWorth = try fields.decodeIfPresent(Double.self, forKey: .boundWorth)
      continuousStandardError = try fields.decodeIfPresent(
        Double.self, forKey: .continuousStandardError)
      continuousRange = try fields.decodeIfPresent([Double].self, forKey: .continuousRange)
    }

    public func encode(to encoder: any Encoder) throws {
      var fields = encoder.container(keyedBy: CodingKeys.self)
      try fields.encode(name, forKey: .name)
      try fields.encode(gain, forKey: .gain)
      try fields.encodeIfPresent(standardError, forKey: .standardError)
      try fields.encodeIfPresent(predictedNoise, forKey: .predictedNoise)
      try fields.encode(quality, forKey: .quality)
      try fields.encode(continuous, forKey: .continuous)
      try fields.encodeIfPresent(integer, forKey: .integer)
      try fields.encode(lower, forKey: .lower)
      try fields.encode(upper.isFinite ? upper : nil, forKey: .upper)
      try fields.encodeIfPresent(cost, forKey: .cost)
      try fields.encodeIfPresent(alpha, forKey: .alpha)
      try fields.encodeIfPresent(gammaFactor, forKey: .gammaFactor)
      try fields.encodeIfPresent(weights, forKey: .weights)
      try fields.encodeIfPresent(modules, forKey: .modules)
      try fields.encodeIfPresent(pattern, forKey: .pattern)
      try fields.encodeIfPresent(damage, forKey: .damage)
      try fields.encode(atBound, forKey: .atBound)
      try fields.encodeIfPresent(budgetSensitivity, forKey: .budgetSensitivity)
      try fields.encodeIfPresent(boundWorth, forKey: .boundWorth)
      try fields.encodeIfPresent(continuousStandardError, forKey: .continuousStandardError)
      try fields.encodeIfPresent(continuousRange, forKey: .continuousRange)
    }
  }

  /// The numbers by which the plan can be checked; docs/formats.md gives each one's definition.
  public struct Certificate: Codable, Sendable, Equatable {
    public var primal: Double
    public var dual: Double
    public var gap: Double
    public var kktResidual: Double
    public var stationarityResidual: Double
    public var feasibilityResidual: Double
    public var complementarityResidual: Double
    public var budgetLeft: Double
    public var integerBudgetLeft: Double?
    public var integralityGap: Double?
    public var unitsAtLower: Int
    public var unitsAtUpper: Int
    /// Strong convexity of the objective over what bounds and budget leave; absent where unknown.
    public var modulus: Double?
    public var conditionNumber: Double?

    enum CodingKeys: String, CodingKey {
      case primal, dual, gap, modulus
      case conditionNumber = "condition_number"
      case kktResidual = "kkt_residual"
      case stationarityResidual = "stationarity_residual"
      case feasibilityResidual = "feasibility_residual"
      case complementarityResidual = "complementarity_residual"
      case budgetLeft = "budget_left"
      case integerBudgetLeft = "integer_budget_left"
      case integralityGap = "integrality_gap"
      case unitsAtLower = "units_at_lower"
      case unitsAtUpper = "units_at_upper"
    }

    public init(
      primal: Double, dual: Double, gap: Double, kktResidual: Double,
      stationarityResidual: Double, feasibilityResidual: Double, complementarityResidual: Double,
      budgetLeft: Double, integerBudgetLeft: Double?, integralityGap: Double?, unitsAtLower: Int,
      unitsAtUpper: Int
    ) {
      self.primal = primal
      self.dual = dual
      self.gap = gap
      self.kktResidual = kktResidual
      self.stationarityResidual = stationarityResidual
      self.feasibilityResidual = feasibilityResidual
      self.complementarityResidual = complementarityResidual
      self.budgetLeft = budgetLeft
      self.integerBudgetLeft = integerBudgetLeft
      self.integralityGap = integralityGap
      self.unitsAtLower = unitsAtLower
      self.unitsAtUpper = unitsAtUpper
    }
  }
}
