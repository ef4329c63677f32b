/// The gain of one module and what it was computed with.
public struct ModuleGain: Sendable, Equatable {
  public let name: String
  /// [outputs, inputs] of the gradient as used.
  public let shape: [Int]
  /// The gain in use: `plainGain`, or `crossFittedGain` with negative values as 0.
  public let gain: Double
  /// ζ² = gᵀ H̃⁻¹ g of the mean gradient over all samples, their noise included; non-negative.
  public let plainGain: Double
  /// Inner products of the folds in the metric of the curvature, where they are in use.
  public let foldGram: FoldGram?
  /// Singular values σ of L_G⁻¹ W L_A⁻ᵀ, W the mean gradient, descending; where they were asked for. The
  /// best update of rank r lowers the local quadratic model by ½ Σ σ² over the first r of them, and one
  /// of full rank by ½ `plainGain`.
  public let spectrum: [Double]?
  /// ‖g‖², the gain of identity curvature.
  public let gradientNormSquared: Double
  /// Damping, bounds on the spectrum, condition and clamping of the curvature.
  public let facts: CurvatureFacts
  /// N and T of the module, where known.
  public let samples: Double?
  public let tokens: Double?
  /// d_eff = tr(H̃⁻¹ H), where folds do not make it unnecessary and N is known.
  public let effectiveDimension: Double?
  /// What sampling noise alone adds to `plainGain`, as predicted from d_eff; nil where the folds
  /// measure it or the counts are unknown.
  public let predictedNoise: Double?
  /// Precision of the factorizations that gave the result.
  public let precision: Precision
  /// Bound on the relative rounding error of the gain, from the precision and the condition numbers
  /// of what was factorized.
  public let errorEstimate: Double?
  /// XXH64 of the tensors that were read, combined independently of their order.
  public let checksum: UInt64

  public var parameters: Int { shape.reduce(1, *) }

  /// ‖g‖²/λmax ≤ ζ² ≤ ‖g‖²/λmin of the plain gain.
  public var bounds: (lower: Double, upper: Double?) {
    facts.bounds(gradientNormSquared: gradientNormSquared)
  }

  init(_ module: ModuleStatistics, _ estimate: GainEstimate, checksum: UInt64) {
    name = module.name
    shape = [module.outputs, module.inputs]
    plainGain = estimate.gain
    foldGram = estimate.foldGram
    gain = estimate.foldGram.map { max($0.crossFittedGain, 0) } ?? estimate.gain
    spectrum = estimate.spectrum
    gradientNormSquared = estimate.gradientNormSquared
    facts = estimate.facts
    samples = module.samples
    tokens = module.tokens
    effectiveDimension = estimate.effectiveDimension
    predictedNoise = Self.predictedNoise(module, estimate)
    precision = estimate.precision
    errorEstimate = estimate.errorEstimate.flatMap { $0.isFinite ? $0 : nil }
    self.checksum = checksum
  }

  /// E ζ² of pure noise = tr(H̃⁻¹ Cov g_i)/N, with the undamped curvature in the place of Cov g_i:
  /// d_eff/N. A per-token curvature is that of one token, of which a sample has T/N: the share
  /// that `tokensPerSample` has not put in already multiplies it.
  private static func predictedNoise(
    _ module: ModuleStatistics, _ estimate: GainEstimate
  ) -> Double? {
    guard let dimension = estimate.effectiveDimension, let samples = module.samples, samples > 0
    else { return nil }
    guard let scale = estimate.facts.tokensPerSample else { return dimension / samples }
    guard let tokens = module.tokens else { return nil }
    return dimension * (tokens / samples / scale) / samples
  }
}
