internal import DenseLinearAlgebra

/// The last Cholesky factor of an input covariance, kept for the next module that shares it.
struct FactorCache<Element: LinearAlgebraElement>: ~Copyable {
  private var key = ""
  private var mean = 0.0
  private var shift = 0.0
  private var factor: CholeskyFactor<Element>?

  /// The mean eigenvalue of the undamped covariance under `key`, if its factor is kept.
  func mean(of key: String) -> Double? {
    factor != nil && self.key == key ? mean : nil
  }

  func holds(_ key: String, shift: Double) -> Bool {
    factor != nil && self.key == key && self.shift == shift
  }

  mutating func keep(
    _ factor: consuming CholeskyFactor<Element>, of key: String, mean: Double, shift: Double
  ) {
    self.key = key
    self.mean = mean
    self.shift = shift
    self.factor = consume factor
  }

  /// Frees the factor before a new one is made, so that two never live at once.
  mutating func release() {
    factor = nil
  }

  var conditionNumber: Double {
    switch factor {
    case .some(let factor): 1 / factor.reciprocalCondition
    case .none: .infinity
    }
  }

  /// B := B L⁻ᵀ. Precondition: a factor is kept.
  func solveFromRightTransposed(_ matrix: inout Matrix<Element>) {
    switch factor {
    case .some(let factor): factor.solveFromRightTransposed(&matrix)
    case .none: preconditionFailure("no factor is kept")
    }
  }
}
