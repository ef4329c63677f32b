/// What is known of a module's damped curvature H̃, beside the gain it gives.
public struct CurvatureFacts: Sendable, Equatable {
  /// λ as used, in the unit of the curvature after `tokensPerSample`; 0 for identity.
  public var damping: Double
  /// π = √(mean eigenvalue of A / of G), for curvatures made of two factors.
  public var pi: Double?
  /// c, by which a per-token curvature A ⊗ G was multiplied; nil for other kinds.
  public var tokensPerSample: Double?
  /// No larger than the smallest eigenvalue of H̃ if the undamped curvature is positive semidefinite.
  public var smallestEigenvalue: Double
  /// No smaller than the largest eigenvalue of H̃.
  public var largestEigenvalue: Double
  /// An estimate of the condition number of H̃, where it was factorized.
  public var conditionNumber: Double?
  /// Negative eigenvalues of the stored factors, where they were decomposed; set to 0.
  public var clamped: ClampedEigenvalues?

  /// Whether nothing is left of the curvature: no division by H̃ is possible.
  var isFlat: Bool { largestEigenvalue == 0 }
  /// Whether a factor of the curvature is 0 with nothing added to it: π exists where neither is.
  var isSingular: Bool { smallestEigenvalue == 0 && pi == nil }

  /// ‖g‖²/λmax ≤ ζ² ≤ ‖g‖²/λmin with the bounds on the eigenvalues; nil where λmin may be 0.
  func bounds(gradientNormSquared: Double) -> (lower: Double, upper: Double?) {
    let lower = largestEigenvalue > 0 ? gradientNormSquared / largestEigenvalue : 0
    let upper = smallestEigenvalue > 0 ? gradientNormSquared / smallestEigenvalue : .infinity
    return (lower.isFinite ? lower : 0, upper.isFinite ? upper : nil)
  }
}

/// Eigenvalues below 0 that rounding of the stored factors left behind.
public struct ClampedEigenvalues: Sendable, Equatable {
  public var count: Int
  /// The most negative one's size over the largest eigenvalue of its factor.
  public var largestRatio: Double

  public init(count: Int = 0, largestRatio: Double = 0) {
    self.count = count
    self.largestRatio = largestRatio
  }

  /// Sets negative values to 0 and notes them. `values` ascending.
  static func clamp(_ values: inout [Double]) -> ClampedEigenvalues {
    let negative = values.filter { $0 < 0 }
    guard let least = negative.min() else { return ClampedEigenvalues() }
    let largest = max(values.last ?? 0, 0)
    for index in values.indices where values[index] < 0 { values[index] = 0 }
    return ClampedEigenvalues(
      count: negative.count, largestRatio: largest > 0 ? -least / largest : .infinity)
  }

  static func + (left: Self, right: Self) -> Self {
    ClampedEigenvalues(
      count: left.count + right.count, largestRatio: max(left.largestRatio, right.largestRatio))
  }

  /// Above this ratio the negative part is more than rounding of single precision leaves.
  public static let alarm = 1e-5
}

extension CurvatureFacts {
  /// Of c A ⊗ G + λ I, from the factors' norms. Damping adds on either side of the spectrum.
  static func kronecker(
    _ a: FactorSummary, _ g: FactorSummary, damping: Damping, scale: Double
  ) -> CurvatureFacts {
    let lambda = damping.value(meanEigenvalue: scale * a.mean * g.mean)
    return CurvatureFacts(
      damping: lambda, pi: pi(a, g), tokensPerSample: scale, smallestEigenvalue: lambda,
      largestEigenvalue: scale * a.norm * g.norm + lambda)
  }

  /// Of c (A + s_A I) ⊗ (G + s_G I), from the factors' norms. See `Damping.factorShifts`.
  static func kfac(
    _ a: FactorSummary, _ g: FactorSummary, damping: Damping, scale: Double
  ) -> CurvatureFacts {
    let shifts = damping.factorShifts(meanA: a.mean, meanG: g.mean, scale: scale)
    return CurvatureFacts(
      damping: damping.value(meanEigenvalue: scale * a.mean * g.mean), pi: pi(a, g),
      tokensPerSample: scale,
      smallestEigenvalue: scale * shifts.activation * shifts.gradient,
      largestEigenvalue: scale * (a.norm + shifts.activation) * (g.norm + shifts.gradient))
  }

  private static func pi(_ a: FactorSummary, _ g: FactorSummary) -> Double? {
    a.mean > 0 && g.mean > 0 ? (a.mean / g.mean).squareRoot() : nil
  }
}
