internal import DenseLinearAlgebra

extension GainComputer {
  /// ζ² = gᵀ (H + λ I)⁻¹ g = ‖L⁻¹ g‖² for a small block H [p, p], g the gradient row by row.
  ///
  /// Always in double precision. - Complexity: p³/3 flops, 8 p² bytes.
  func denseGain(of module: ModuleStatistics) throws(CurvatureError) -> GainEstimate {
    let weights = try statistics.gradient(of: module, as: Double.self)
    let order = module.parameters
    let norm = weights.sumOfSquares
    var hessian = try statistics.symmetricMatrix(
      .hessian, of: module, order: order, divisor: module.sampleDivisor, as: Double.self)
    let mean = hessian.trace / Double(order)
    let lambda = damping.value(meanEigenvalue: mean)
    if norm == 0 && mean == 0 {
      return GainEstimate(
        gain: 0, gradientNormSquared: 0, damping: lambda, precision: .double,
        foldGram: try foldGram(of: module, as: Double.self) { _ in })
    }
    hessian.addToDiagonal(lambda)
    let factor = try factorize(hessian, of: module, mean: mean, lambda: lambda)
    let gram = try foldGram(of: module, as: Double.self) { gradient in
      gradient = whitened(gradient, by: factor)
    }
    return GainEstimate(
      gain: whitened(weights, by: factor).sumOfSquares, gradientNormSquared: norm,
      damping: lambda, precision: .double, conditionNumber: 1 / factor.reciprocalCondition,
      errorEstimate: Precision.double.unitRoundoff / factor.reciprocalCondition, foldGram: gram)
  }

  /// L⁻¹ g as a column, g the gradient row by row.
  private func whitened(
    _ gradient: borrowing Matrix<Double>, by factor: borrowing CholeskyFactor<Double>
  ) -> Matrix<Double> {
    var column = Matrix<Double>(rows: factor.order, columns: 1, elements: gradient.elements())
    factor.solveFromLeft(&column)
    return column
  }

  private func factorize(
    _ hessian: consuming Matrix<Double>, of module: ModuleStatistics, mean: Double, lambda: Double
  ) throws(CurvatureError) -> CholeskyFactor<Double> {
    do {
      return try CholeskyFactor(factorizing: hessian)
    } catch {
      let key = try statistics.requiredKey(.hessian, of: module)
      throw .value(
        "\(statistics.place(of: key)) of module \"\(module.name)\" is not positive definite after "
          + "damping by \(lambda) (mean eigenvalue \(mean), --damping \(damping)): \(error); raise "
          + "--damping")
    }
  }
}
