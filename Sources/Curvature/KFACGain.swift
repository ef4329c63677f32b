internal import DenseLinearAlgebra
internal import TensorFiles

extension GainComputer {
  /// ζ² = ‖L_G⁻¹ W L_A⁻ᵀ‖²_F with L_A L_Aᵀ = A + π √λ I and L_G L_Gᵀ = G + √λ/π I.
  ///
  /// Single precision repeats in double when its error estimate 2⁻²⁴ (κ(A) + κ(G)) exceeds 1e-4,
  /// when a factor is not positive definite in single, or when a value does not fit; the result
  /// says which precision it has.
  mutating func kfacGain(of module: ModuleStatistics) throws(CurvatureError) -> GainEstimate {
    if precision == .single, let estimate = try singleKFACGain(of: module) { return estimate }
    var cache = FactorCache<Double>()
    swap(&cache, &doubleCache)
    do throws(CurvatureError) {
      let estimate = try kfacGain(of: module, cache: &cache)
      swap(&cache, &doubleCache)
      return estimate
    } catch {
      throw error
    }
  }

  /// The gain in single precision; nil where double is needed.
  private mutating func singleKFACGain(
    of module: ModuleStatistics
  ) throws(CurvatureError) -> GainEstimate? {
    var cache = FactorCache<Float>()
    swap(&cache, &singleCache)
    let estimate: GainEstimate
    do throws(CurvatureError) {
      estimate = try kfacGain(of: module, cache: &cache)
    } catch {
      // Whatever single precision cannot hold or factorize, double decides on.
      return nil
    }
    swap(&cache, &singleCache)
    return (estimate.errorEstimate ?? 0) <= 1e-4 && estimate.gain.isFinite ? estimate : nil
  }

  private func kfacGain<Element: Readable>(
    of module: ModuleStatistics, cache: inout FactorCache<Element>
  ) throws(CurvatureError) -> GainEstimate {
    // 1. Gradient and output factor, and the mean eigenvalues that set the damping.
    var weights = try statistics.gradient(of: module, as: Element.self)
    let normSquared = weights.sumOfSquares
    let precision: Precision = Element.self == Float.self ? .single : .double
    let g = try statistics.symmetricMatrix(
      .gradientCovariance, of: module, order: module.outputs, divisor: module.tokenDivisor,
      as: Element.self)
    let meanG = g.trace / Double(module.outputs)
    let key = try statistics.requiredKey(.activationCovariance, of: module)
    var activation: Matrix<Element>?
    let meanA: Double
    if let kept = cache.mean(of: key) {
      meanA = kept
    } else {
      cache.release()
      let matrix = try activationCovariance(of: module, as: Element.self)
      meanA = matrix.trace / Double(module.inputs)
      activation = consume matrix
    }

    // 2. Damping. An expert that saw no token has A = G = W = 0, hence no gain.
    let lambda = damping.value(meanEigenvalue: meanA * meanG)
    let shifts = damping.factorShifts(meanA: meanA, meanG: meanG)
    if normSquared == 0 && (meanA == 0 || meanG == 0) {
      return GainEstimate(
        gain: 0, gradientNormSquared: 0, damping: lambda, precision: precision,
        foldGram: try foldGram(of: module, as: Element.self) { _ in })
    }

    // 3. Two Cholesky factorizations, two triangular solves. Modules that read the same
    //    activations find the first factorization done.
    if !cache.holds(key, shift: shifts.activation) {
      let a: Matrix<Element>
      if let read = activation.take() {
        a = read
      } else {
        a = try activationCovariance(of: module, as: Element.self)
      }
      cache.release()
      let factor = try factorize(
        a, shift: shifts.activation, .activationCovariance, module: module, mean: meanA)
      cache.keep(factor, of: key, mean: meanA, shift: shifts.activation)
    }
    cache.solveFromRightTransposed(&weights)
    let factor = try factorize(
      g, shift: shifts.gradient, .gradientCovariance, module: module, mean: meanG)
    factor.solveFromLeft(&weights)
    let gram = try foldGram(of: module, as: Element.self) { gradient in
      cache.solveFromRightTransposed(&gradient)
      factor.solveFromLeft(&gradient)
    }
    // The eigenvalues of a Kronecker product multiply, so its condition numbers do; rounding errors
    // of the two solves add.
    let conditionA = cache.conditionNumber
    let conditionG = 1 / factor.reciprocalCondition
    return GainEstimate(
      gain: weights.sumOfSquares, gradientNormSquared: normSquared, damping: lambda,
      precision: precision, conditionNumber: conditionA * conditionG,
      errorEstimate: precision.unitRoundoff * (conditionA + conditionG), foldGram: gram)
  }

  private func activationCovariance<Element: Readable>(
    of module: ModuleStatistics, as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element> {
    try statistics.symmetricMatrix(
      .activationCovariance, of: module, order: module.inputs, divisor: module.tokenDivisor,
      as: type)
  }

  /// The Cholesky factor of a damped factor, or an error that says which and what to try.
  private func factorize<Element: Readable>(
    _ matrix: consuming Matrix<Element>, shift: Double, _ quantity: StatisticsQuantity,
    module: ModuleStatistics, mean: Double
  ) throws(CurvatureError) -> CholeskyFactor<Element> {
    matrix.addToDiagonal(Element(shift))
    do {
      return try CholeskyFactor(factorizing: matrix)
    } catch {
      let key = try statistics.requiredKey(quantity, of: module)
      throw .value(
        "\(statistics.place(of: key)) of module \"\(module.name)\" is not positive definite after "
          + "damping by \(shift) (mean eigenvalue \(mean), --damping \(damping)): \(error); raise "
          + "--damping or collect the factor in a wider type")
    }
  }
}
