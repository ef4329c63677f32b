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
        gain: 0, gradientNormSquared: 0, damping: lambda, precision: .double)
    }
    hessian.addToDiagonal(lambda)
    var vector = Matrix<Double>(rows: order, columns: 1, elements: weights.elements())
    let factor: CholeskyFactor<Double>
    do {
      factor = try CholeskyFactor(factorizing: hessian)
    } catch {
      let key = try statistics.requiredKey(.hessian, of: module)
      throw .value(
        "\(statistics.place(of: key)) of module \"\(module.name)\" is not positive definite after "
          + "damping by \(lambda) (mean eigenvalue \(mean), --damping \(damping)): \(error); raise "
          + "--damping")
    }
    factor.solveFromLeft(&vector)
    return GainEstimate(
      gain: vector.sumOfSquares, gradientNormSquared: norm, damping: lambda, precision: .double,
      conditionNumber: 1 / factor.reciprocalCondition,
      errorEstimate: Precision.double.unitRoundoff / factor.reciprocalCondition)
  }
}
