/// Tikhonov damping λ of a module's curvature.
public enum Damping: Sendable, Equatable, CustomStringConvertible {
  /// λ = factor · mean eigenvalue of the undamped curvature.
  case relative(Double)
  /// λ as given, in the unit of the curvature.
  case absolute(Double)

  public static let standard = Damping.relative(0.1)

  /// Reads `relative:0.1` or `absolute:1e-3`; nil for anything else or a value that is not a
  /// finite number ≥ 0.
  public init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let value = Double(parts[1]), value.isFinite, value >= 0 else {
      return nil
    }
    switch parts[0] {
    case "relative": self = .relative(value)
    case "absolute": self = .absolute(value)
    default: return nil
    }
  }

  public var description: String {
    switch self {
    case .relative(let factor): "relative:\(factor)"
    case .absolute(let value): "absolute:\(value)"
    }
  }

  /// λ for a curvature of the given mean eigenvalue.
  func value(meanEigenvalue: Double) -> Double {
    switch self {
    case .relative(let factor): factor * meanEigenvalue
    case .absolute(let value): value
    }
  }

  /// The shifts s_A of A and s_G of G with c (A + s_A I) ⊗ (G + s_G I) = (c A + π √λ I) ⊗ (G + √λ/π I),
  /// π = √(c mean A / mean G) over the mean eigenvalues: √(λ/c) times √(mean A / mean G) or its inverse.
  ///
  /// With relative damping λ = r · c · mean A · mean G the shifts are √r · mean A and √r · mean G: the
  /// shift of a factor that several modules share depends neither on the other factor nor on c, so
  /// its Cholesky factorization can be shared too. π is 1 where a mean is 0.
  func factorShifts(
    meanA: Double, meanG: Double, scale: Double
  ) -> (activation: Double, gradient: Double) {
    switch self {
    case .relative(let factor):
      return (factor.squareRoot() * meanA, factor.squareRoot() * meanG)
    case .absolute(let value):
      let ratio = meanA > 0 && meanG > 0 ? (meanA / meanG).squareRoot() : 1
      let root = (value / scale).squareRoot()
      return (ratio * root, root / ratio)
    }
  }
}
