internal import DenseLinearAlgebra

/// H̃ = H + λ I = L Lᵀ for a small block H [p, p], the gradient taken row by row: g := L⁻¹ g.
///
/// Always in double precision. - Complexity: p³/3 flops and twice that for its facts, 16 p² bytes.
struct DenseMetric: CurvatureMetric, ~Copyable {
  let facts: CurvatureFacts
  let errorEstimate: Double?
  private let factor: CholeskyFactor<Double>
  private let inverseTrace: Double

  init(
    _ hessian: consuming Matrix<Double>, lambda: Double
  ) throws(LinearAlgebraError) {
    let norm = hessian.sumOfSquares.squareRoot()
    hessian.addToDiagonal(lambda)
    factor = try CholeskyFactor(factorizing: hessian)
    inverseTrace = factor.inverseTrace()
    let condition = 1 / factor.reciprocalCondition
    // tr(H̃⁻¹) is no smaller than 1/λmin, also where H itself is indefinite.
    facts = CurvatureFacts(
      damping: lambda, smallestEigenvalue: 1 / inverseTrace, largestEigenvalue: norm + lambda,
      conditionNumber: condition)
    errorEstimate = Precision.double.unitRoundoff * condition
  }

  func whiten(_ gradient: inout Matrix<Double>) {
    var column = Matrix<Double>(rows: factor.order, columns: 1, elements: gradient.elements())
    factor.solveFromLeft(&column)
    gradient = Matrix(
      rows: gradient.rows, columns: gradient.columns, elements: column.elements())
  }

  func effectiveDimension() -> Double {
    max(Double(factor.order) - facts.damping * inverseTrace, 0)
  }
}

extension MetricBuilder {
  /// H factorized; nil where it is 0 and nothing is added.
  func denseMetric(of module: ModuleStatistics) throws(CurvatureError) -> DenseMetric? {
    let hessian = try hessian(of: module)
    let mean = hessian.trace / Double(module.parameters)
    let lambda = options.damping.value(meanEigenvalue: mean)
    if lambda == 0 && hessian.sumOfSquares == 0 { return nil }
    do {
      return try DenseMetric(hessian, lambda: lambda)
    } catch {
      throw .value(
        "\(statistics.place(of: .hessian, in: module)) of module \"\(module.name)\" is not positive "
          + "definite after damping by \(lambda) (mean eigenvalue \(mean), --damping "
          + "\(options.damping)): \(error); raise --damping")
    }
  }

  func hessian(of module: ModuleStatistics) throws(CurvatureError) -> Matrix<Double> {
    guard module.parameters <= GainOptions.largestFactor else {
      throw .statistics(
        "\(statistics.place(of: .hessian, in: module)): a block of order \(module.parameters), the "
          + "limit is \(GainOptions.largestFactor); use another --curvature for this module")
    }
    return try statistics.symmetricMatrix(
      .hessian, of: module, order: module.parameters, as: Double.self)
  }
}
