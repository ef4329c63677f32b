internal import DenseLinearAlgebra

/// A factor in its eigenbasis, A = Q diag(s) Qᵀ; a diagonal one is in it already.
struct RotatedFactor<Element: Readable>: ~Copyable {
  let summary: FactorSummary
  /// s ≥ 0; negative ones that rounding left were set to 0. In the order of the rows of Qᵀ.
  let values: [Double]
  let clamped: ClampedEigenvalues
  /// Qᵀ, an eigenvector per row; nil for a diagonal factor.
  private let vectorRows: Matrix<Element>?

  init(_ factor: consuming KroneckerFactor<Element>) throws(LinearAlgebraError) {
    summary = factor.summary
    switch consume factor.form {
    case .dense(let matrix):
      let eigen = try SymmetricEigen(decomposing: matrix)
      var values = eigen.values.map { Double($0) }
      clamped = ClampedEigenvalues.clamp(&values)
      self.values = values
      vectorRows = eigen.releaseVectors()
    case .diagonal(let values):
      self.values = values
      clamped = ClampedEigenvalues()
      vectorRows = nil
    }
  }

  /// W := W Q, the side of the inputs. - Complexity: 2 m n² flops.
  func rotateColumns(_ gradient: inout Matrix<Element>) {
    switch vectorRows {
    case .some(let rows): gradient = product(gradient, rows, transposedB: true)
    case .none: break
    }
  }

  /// W := Qᵀ W, the side of the outputs. - Complexity: 2 m² n flops.
  func rotateRows(_ gradient: inout Matrix<Element>) {
    switch vectorRows {
    case .some(let rows): gradient = product(rows, gradient)
    case .none: break
    }
  }
}

/// H̃ = c A ⊗ G + λ I, exactly: T = Q_Gᵀ W Q_A, then T_ij / √(c s_G,i s_A,j + λ).
struct KroneckerMetric<Element: Readable>: CurvatureMetric, ~Copyable {
  private let activation: RotatedFactor<Element>
  private let gradient: RotatedFactor<Element>
  private let moduleName: String
  private let scale: Double
  private(set) var facts: CurvatureFacts

  init(
    activation: consuming RotatedFactor<Element>, gradient: consuming RotatedFactor<Element>,
    facts: CurvatureFacts, scale: Double, moduleName: String
  ) {
    // The extreme eigenvalues of a Kronecker product of semidefinite factors are products of theirs.
    let least = (activation.values.min() ?? 0) * (gradient.values.min() ?? 0)
    let largest = (activation.values.max() ?? 0) * (gradient.values.max() ?? 0)
    self.facts = facts
    self.facts.smallestEigenvalue = scale * least + facts.damping
    self.facts.largestEigenvalue = scale * largest + facts.damping
    self.facts.conditionNumber = self.facts.largestEigenvalue / self.facts.smallestEigenvalue
    self.facts.clamped = activation.clamped + gradient.clamped
    self.activation = activation
    self.gradient = gradient
    self.scale = scale
    self.moduleName = moduleName
  }

  /// The decompositions are those of factors changed by u times their norm, and the rotations add
  /// as much again: 2 u κ to first order.
  var errorEstimate: Double? {
    facts.conditionNumber.map { 2 * Precision.of(Element.self).unitRoundoff * $0 }
  }

  func whiten(_ weights: inout Matrix<Element>) throws(CurvatureError) {
    activation.rotateColumns(&weights)
    gradient.rotateRows(&weights)
    try weights.scaleElements { row, column throws(CurvatureError) in
      let curvature =
        scale * gradient.values[row] * activation.values[column] + facts.damping
      guard curvature > 0 else {
        throw .value(
          "module \"\(moduleName)\": the curvature is 0 in a direction in which the gradient is not, "
            + "and damping is 0; raise --damping")
      }
      return 1 / curvature.squareRoot()
    }
  }

  func effectiveDimension() -> Double {
    var sum = 0.0
    for s in gradient.values {
      for t in activation.values where s * t > 0 {
        sum += scale * s * t / (scale * s * t + facts.damping)
      }
    }
    return sum
  }

  /// Gives the factor of the inputs back, for the next module that shares it.
  consuming func releaseActivation() -> RotatedFactor<Element> { activation }
}

extension MetricBuilder {
  /// Two factors, two eigendecompositions; nil where an expert saw nothing and nothing is added.
  ///
  /// In single precision it throws before any work where the norms show that double is needed.
  func kroneckerMetric<Element: Readable>(
    of module: ModuleStatistics, cache: inout FactorCache<RotatedFactor<Element>>
  ) throws(CurvatureError) -> KroneckerMetric<Element>? {
    let scale = try options.tokensPerSample.value(of: module)
    let g = try statistics.factor(.gradient, of: module, under: options, as: Element.self)
    let key = try statistics.requiredKey(.activationCovariance, of: module)
    if let kept = cache.take(key) {
      let facts = CurvatureFacts.kronecker(
        kept.summary, g.summary, damping: options.damping, scale: scale)
      guard !facts.isFlat else {
        cache.keep(kept, of: key)
        return nil
      }
      try requirePrecision(facts, module, as: Element.self)
      let gradient = try rotated(g, .gradient, module)
      return KroneckerMetric(
        activation: kept, gradient: gradient, facts: facts, scale: scale, moduleName: module.name)
    }
    let a = try statistics.factor(.activation, of: module, under: options, as: Element.self)
    let facts = CurvatureFacts.kronecker(
      a.summary, g.summary, damping: options.damping, scale: scale)
    guard !facts.isFlat else { return nil }
    try requirePrecision(facts, module, as: Element.self)
    let activation = try rotated(a, .activation, module)
    let gradient = try rotated(g, .gradient, module)
    return KroneckerMetric(
      activation: activation, gradient: gradient, facts: facts, scale: scale,
      moduleName: module.name)
  }

  func rotated<Element: Readable>(
    _ factor: consuming KroneckerFactor<Element>, _ side: KroneckerSide, _ module: ModuleStatistics
  ) throws(CurvatureError) -> RotatedFactor<Element> {
    do { return try RotatedFactor(factor) } catch { throw undecomposable(side, module, error) }
  }

  func undecomposable(
    _ side: KroneckerSide, _ module: ModuleStatistics, _ error: LinearAlgebraError
  ) -> CurvatureError {
    .value(
      "\(statistics.place(of: side.covariance, in: module)) of module \"\(module.name)\" cannot be "
        + "decomposed: \(error); look for outliers in the factor, or use --curvature kfac")
  }
}
