internal import DenseLinearAlgebra

/// The damped curvature H̃ of one module, decomposed: ζ² = ‖H̃^(−½) g‖² for any gradient g.
///
/// Made once per module and lent to every gradient that is whitened with it: the mean and the folds.
protocol CurvatureMetric: ~Copyable {
  /// The precision of its solves.
  associatedtype Element: Readable

  var facts: CurvatureFacts { get }
  /// Bound on the relative rounding error of ζ²; nil where nothing was decomposed.
  var errorEstimate: Double? { get }

  /// W := H̃^(−½) W for a gradient W [outputs, inputs], up to a rotation, which no inner product sees.
  func whiten(_ gradient: inout Matrix<Element>) throws(CurvatureError)

  /// d_eff = tr(H̃⁻¹ H), H the undamped curvature: the number of directions that damping leaves
  /// alive. May cost as much as the decomposition.
  func effectiveDimension() throws(CurvatureError) -> Double
}

/// H̃ = I.
struct IdentityMetric: CurvatureMetric {
  typealias Element = Double

  let parameters: Int
  var facts: CurvatureFacts {
    CurvatureFacts(damping: 0, smallestEigenvalue: 1, largestEigenvalue: 1)
  }
  var errorEstimate: Double? { nil }

  func whiten(_ gradient: inout Matrix<Double>) {}
  func effectiveDimension() -> Double { Double(parameters) }
}
