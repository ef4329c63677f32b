/// How well a plan that was made for one set of scores does on another.
///
/// `layerbudget.transfer/1`; the fields are listed in docs/formats.md.
public struct TransferDocument: Codable, Sendable, Equatable {
  public static let format = "layerbudget.transfer/1"

  public var format = TransferDocument.format
  public var program: PlanDocument.Program
  /// Every option as resolved.
  public var parameters: [String: ParameterValue]
  /// ‖q^T − q^S‖₂.
  public var delta: Double
  /// F_T(x^S) − F_T(x^T).
  public var regret: Double
  /// The duality gap of the source's plan and price on the target: the sharpest bound on the regret
  /// that needs no solution for the target.
  public var gap: Double
  /// Σ max (d Δ − m Δ²/2) over what bounds and budget leave to each unit, at most Σ d² / (2 m).
  public var certificate: Double
  /// L² δ² / (2 μ_F).
  public var bound: Double
  public var constants: Constants
  /// F_T(x^T), the best that can be had on the target.
  public var targetObjective: Double
  /// What was allowed, and whether the gap is beyond it; absent without a tolerance.
  public var tolerance: Double?
  public var replan: Bool?
  /// The regret to expect from the noise of both sets of gains alone; where both hold folds.
  public var noiseRegret: Double?
  public var units: [Unit]
  public var inputs: [String: InputFingerprint]
  public var notes: [String]

  enum CodingKeys: String, CodingKey {
    case format, program, parameters, delta, regret, gap, certificate, bound, constants, tolerance
    case replan, units, inputs, notes
    case targetObjective = "target_objective"
    case noiseRegret = "noise_regret"
  }

  public init(
    program: PlanDocument.Program, parameters: [String: ParameterValue], delta: Double,
    regret: Double, gap: Double, certificate: Double, bound: Double, constants: Constants,
    targetObjective: Double, tolerance: Double?, units: [Unit],
    inputs: [String: InputFingerprint], notes: [String]
  ) {
    self.program = program
    self.parameters = parameters
    self.delta = delta
    self.regret = regret
    self.gap = gap
    self.certificate = certificate
    self.bound = bound
    self.constants = constants
    self.targetObjective = targetObjective
    self.tolerance = tolerance
    self.replan = tolerance.map { gap > $0 }
    self.units = units
    self.inputs = inputs
    self.notes = notes
  }

  public struct Constants: Codable, Sendable, Equatable {
    /// L: how fast the gradient at the source plan moves with the qualities.
    public var lipschitz: Double
    /// μ_F: strong convexity of F_T, over the units that are not linear.
    public var modulus: Double
    /// Largest over smallest curvature; `null` without a modulus.
    public var conditionNumber: Double?
    /// Σ d² / (2 m).
    public var unboundedCertificate: Double
    /// Units of zero target quality.
    public var linearUnits: Int

    enum CodingKeys: String, CodingKey {
      case lipschitz, modulus
      case conditionNumber = "condition_number"
      case unboundedCertificate = "unbounded_certificate"
      case linearUnits = "linear_units"
    }

    public init(
      lipschitz: Double, modulus: Double, conditionNumber: Double?, unboundedCertificate: Double,
      linearUnits: Int
    ) {
      self.lipschitz = lipschitz
      self.modulus = modulus
      self.conditionNumber = conditionNumber
      self.unboundedCertificate = unboundedCertificate
      self.linearUnits = linearUnits
    }
  }

  public struct Unit: Codable, Sendable, Equatable {
    public var name: String
    public var sourceQuality: Double
    public var targetQuality: Double
    /// x^S and x^T, or shares.
    public var source: Double
    public var target: Double
    /// Its part of the regret, priced by the target: not negative but for rounding.
    public var regret: Double
    /// Its part of the gap and of the certificate.
    public var gap: Double
    public var certificate: Double
    /// d, the change of the objective's slope at the source plan.
    public var slopeChange: Double
    /// m, the strong convexity of its part of F_T.
    public var modulus: Double

    enum CodingKeys: String, CodingKey {
      case name, source, target, regret, gap, certificate, modulus
      case sourceQuality = "source_quality"
      case targetQuality = "target_quality"
      case slopeChange = "slope_change"
    }

    public init(
      name: String, sourceQuality: Double, targetQuality: Double, source: Double, target: Double,
      regret: Double, gap: Double, certificate: Double, slopeChange: Double, modulus: Double
    ) {
      self.name = name
      self.sourceQuality = sourceQuality
      self.targetQuality = targetQuality
      self.source = source
      self.target = target
      self.regret = regret
      self.gap = gap
      self.certificate = certificate
      self.slopeChange = slopeChange
      self.modulus = modulus
    }
  }
}
