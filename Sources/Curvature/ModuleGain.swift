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
  /// ‖g‖², the gain of identity curvature.
  public let gradientNormSquared: Double
  /// λ as used; 0 for identity.
  public let damping: Double
  /// Precision of the factorizations that gave the result.
  public let precision: Precision
  /// κ₁ estimate of the damped curvature, where a factorization gave one.
  public let conditionNumber: Double?
  /// Bound on the relative rounding error of the gain, from the precision and the condition numbers
  /// of what was factorized.
  public let errorEstimate: Double?
  /// XXH64 of the tensors that were read, combined independently of their order.
  public let checksum: UInt64

  public var parameters: Int { shape.reduce(1, *) }
}
