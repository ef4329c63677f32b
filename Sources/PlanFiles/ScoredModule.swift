extension ScoresDocument {
  /// One module of a unit: its gain, and the numbers by which to judge it.
  public struct Module: Codable, Sendable, Equatable {
    public var name: String
    public var gain: Double
    public var gainPlain: Double?
    public var gainCrossFitted: Double?
    public var standardError: Double?
    /// ‖g‖²/λmax(H̃) and ‖g‖²/λmin(H̃), between which the plain gain lies; no upper one where λmin may
    /// be 0.
    public var gainLowerBound: Double?
    public var gainUpperBound: Double?
    public var gradientNormSquared: Double
    /// λ as used for this module.
    public var damping: Double
    /// π = √(mean eigenvalue of A / of G), for kinds with two factors.
    public var pi: Double?
    /// c, by which a per-token curvature was multiplied.
    public var tokensPerSample: Double?
    /// [outputs, inputs].
    public var shape: [Int]
    public var samples: Int?
    public var tokens: Int?
    public var precision: String
    /// An estimate for the damped curvature; absent where nothing was decomposed.
    public var conditionNumber: Double?
    /// Bound on the relative rounding error of the gain; absent likewise.
    public var errorEstimate: Double?
    /// Eigenvalues below 0 that count as 0; absent where none were computed.
    public var clampedEigenvalues: Int?
    /// The most negative one's size over the largest of its factor.
    public var clampedRatio: Double?
    /// d_eff = tr(H̃⁻¹ H); absent where folds make it unnecessary.
    public var effectiveDimension: Double?
    public var predictedNoise: Double?
    /// ½ Σ w² h over the matrix; only with a checkpoint.
    public var damage: Double?

    enum CodingKeys: String, CodingKey {
      case name, gain, damping, pi, shape, precision, damage
      case gainPlain = "gain_plain"
      case gainCrossFitted = "gain_cross_fitted"
      case standardError = "standard_error"
      case gainLowerBound = "gain_lower_bound"
      case gainUpperBound = "gain_upper_bound"
      case gradientNormSquared = "gradient_norm_squared"
      case tokensPerSample = "tokens_per_sample"
      case samples = "num_samples"
      case tokens = "num_tokens"
      case conditionNumber = "condition_number"
      case errorEstimate = "error_estimate"
      case clampedEigenvalues = "clamped_eigenvalues"
      case clampedRatio = "clamped_ratio"
      case effectiveDimension = "effective_dimension"
      case predictedNoise = "predicted_noise"
    }

    public init(
      name: String, gain: Double, gradientNormSquared: Double, damping: Double, shape: [Int],
      precision: String
    ) {
      self.name = name
      self.gain = gain
      self.gradientNormSquared = gradientNormSquared
      self.damping = damping
      self.shape = shape
      self.precision = precision
    }
  }
}
