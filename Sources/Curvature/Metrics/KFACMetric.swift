internal import DenseLinearAlgebra

/// A factor after damping, A + s I = L Lᵀ: dense by Cholesky, diagonal element by element.
struct DampedFactor<Element: Readable>: ~Copyable {
  private enum Form: ~Copyable {
    case dense(CholeskyFactor<Element>)
    case diagonal([Double])
  }
  let summary: FactorSummary
  /// s.
  let shift: Double
  /// κ₁ of the damped factor, an estimate for a dense one.
  let conditionNumber: Double
  private let form: Form

  init(
    _ factor: consuming KroneckerFactor<Element>, shift: Double
  ) throws(LinearAlgebraError) {
    summary = factor.summary
    self.shift = shift
    switch consume factor.form {
    case .dense(var matrix):
      matrix.addToDiagonal(Element(shift))
      // The diagonal of a second moment is not negative, so the shift adds to every column's sum.
      let cholesky = try CholeskyFactor(
        factorizing: matrix, in: .upper, knownOneNorm: summary.oneNorm.map { $0 + shift })
      conditionNumber = 1 / cholesky.reciprocalCondition
      form = .dense(cholesky)
    case .diagonal(let values):
      let damped = values.map { $0 + shift }
      if let index = damped.firstIndex(where: { !($0 > 0) }) {
        throw .notPositiveDefinite(order: damped.count, leadingMinor: index + 1)
      }
      conditionNumber = (damped.max() ?? 1) / (damped.min() ?? 1)
      form = .diagonal(damped)
    }
  }

  /// W := W L⁻ᵀ, the side of the inputs.
  func whitenColumns(_ gradient: inout Matrix<Element>) {
    switch form {
    case .dense(let cholesky): cholesky.solveFromRightTransposed(&gradient)
    case .diagonal(let damped): gradient.scaleColumns(by: damped.map { 1 / $0.squareRoot() })
    }
  }

  /// W := L⁻¹ W, the side of the outputs.
  func whitenRows(_ gradient: inout Matrix<Element>) {
    switch form {
    case .dense(let cholesky): cholesky.solveFromLeft(&gradient)
    case .diagonal(let damped): gradient.scaleRows(by: damped.map { 1 / $0.squareRoot() })
    }
  }

  /// tr((A + s I)⁻¹ A) = order − s tr((A + s I)⁻¹). - Complexity: order³/3 flops for a dense one.
  func effectiveDimension() -> Double {
    let inverseTrace =
      switch form {
      case .dense(let cholesky): cholesky.inverseTrace()
      case .diagonal(let damped): damped.reduce(0) { $0 + 1 / $1 }
      }
    return max(Double(summary.order) - shift * inverseTrace, 0)
  }
}

/// H̃ = c (A + s_A I) ⊗ (G + s_G I): W := L_G⁻¹ W L_A⁻ᵀ / √c.
struct KFACMetric<Element: Readable>: CurvatureMetric, ~Copyable {
  let activation: DampedFactor<Element>
  let gradient: DampedFactor<Element>
  private(set) var facts: CurvatureFacts

  init(
    activation: consuming DampedFactor<Element>, gradient: consuming DampedFactor<Element>,
    facts: CurvatureFacts
  ) {
    self.facts = facts
    // The eigenvalues of a Kronecker product multiply, so its condition numbers do.
    self.facts.conditionNumber = activation.conditionNumber * gradient.conditionNumber
    self.activation = activation
    self.gradient = gradient
  }

  /// The rounding errors of the two solves add.
  var errorEstimate: Double? {
    Precision.of(Element.self).unitRoundoff
      * (activation.conditionNumber + gradient.conditionNumber)
  }

  func whiten(_ weights: inout Matrix<Element>) {
    activation.whitenColumns(&weights)
    gradient.whitenRows(&weights)
    if let scale = facts.tokensPerSample, scale != 1 {
      weights.scale(by: Element(1 / scale.squareRoot()))
    }
  }

  func effectiveDimension() -> Double {
    activation.effectiveDimension() * gradient.effectiveDimension()
  }

  /// Gives the factor of the inputs back, for the next module that shares it.
  consuming func releaseActivation() -> DampedFactor<Element> { activation }
}

extension MetricBuilder {
  /// Two factors, two Cholesky factorizations; nil where an expert saw nothing and nothing is added.
  ///
  /// The factor of the inputs comes from the cache where the last module had the same one.
  func kfacMetric<Element: Readable>(
    of module: ModuleStatistics, cache: inout FactorCache<DampedFactor<Element>>
  ) throws(CurvatureError) -> KFACMetric<Element>? {
    let scale = try options.tokensPerSample.value(of: module)
    let g = try statistics.factor(.gradient, of: module, under: options, as: Element.self)
    let key = try statistics.requiredKey(.activationCovariance, of: module)

    // 1. A as it was left behind, if its shift is the same.
    if let kept = cache.take(key) {
      let facts = CurvatureFacts.kfac(
        kept.summary, g.summary, damping: options.damping, scale: scale)
      guard !facts.isSingular else {
        cache.keep(kept, of: key)
        return nil
      }
      let shifts = options.damping.factorShifts(
        meanA: kept.summary.mean, meanG: g.summary.mean, scale: scale)
      if kept.shift == shifts.activation {
        let gradient = try damped(g, shift: shifts.gradient, .gradient, module)
        return KFACMetric(activation: kept, gradient: gradient, facts: facts)
      }
    }

    // 2. Or read and factorized.
    let a = try statistics.factor(.activation, of: module, under: options, as: Element.self)
    let facts = CurvatureFacts.kfac(a.summary, g.summary, damping: options.damping, scale: scale)
    guard !facts.isSingular else { return nil }
    let shifts = options.damping.factorShifts(
      meanA: a.summary.mean, meanG: g.summary.mean, scale: scale)
    let activation = try damped(a, shift: shifts.activation, .activation, module)
    let gradient = try damped(g, shift: shifts.gradient, .gradient, module)
    return KFACMetric(activation: activation, gradient: gradient, facts: facts)
  }

  /// The damped factor, or an error that says which and what to try.
  private func damped<Element: Readable>(
    _ factor: consuming KroneckerFactor<Element>, shift: Double, _ side: KroneckerSide,
    _ module: ModuleStatistics
  ) throws(CurvatureError) -> DampedFactor<Element> {
    let mean = factor.summary.mean
    do {
      return try DampedFactor(factor, shift: shift)
    } catch {
      throw .value(
        "\(statistics.place(of: side.covariance, in: module)) of module \"\(module.name)\" is not "
          + "positive definite after damping by \(shift) (mean eigenvalue \(mean), --damping "
          + "\(options.damping)): \(error); raise --damping or collect the factor in a wider type")
    }
  }
}
