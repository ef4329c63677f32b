internal import DenseLinearAlgebra

/// H̃ = (Q_A ⊗ Q_G) diag(Λ) (Q_A ⊗ Q_G)ᵀ + λ I: T = Q_Gᵀ W Q_A, then T / √(Λ + λ).
///
/// The eigenvectors are those that Λ was collected in, as stored: others of the same factors would be
/// another basis. The rotations are made in `Element`, the division in Float64.
struct EKFACMetric<Element: Readable>: CurvatureMetric, ~Copyable {
  /// Q_A and Q_G, eigenvectors in columns; nil where a factor is diagonal and the axes are its basis.
  private let activation: Matrix<Element>?
  private let gradient: Matrix<Element>?
  private let moments: DiagonalMetric

  init(
    activation: consuming Matrix<Element>?, gradient: consuming Matrix<Element>?,
    moments: consuming DiagonalMetric
  ) {
    self.activation = activation
    self.gradient = gradient
    self.moments = moments
  }

  var facts: CurvatureFacts {
    var facts = moments.facts
    facts.conditionNumber = facts.largestEigenvalue / facts.smallestEigenvalue
    return facts
  }

  /// Of the two rotations: 2 u κ to first order.
  var errorEstimate: Double? {
    facts.conditionNumber.map { 2 * Precision.of(Element.self).unitRoundoff * $0 }
  }

  func whiten(_ weights: inout Matrix<Element>) throws(CurvatureError) {
    switch activation {
    case .some(let vectors): weights = product(weights, vectors)
    case .none: break
    }
    switch gradient {
    case .some(let vectors): weights = product(vectors, transposedA: true, weights)
    case .none: break
    }
    try moments.divide(&weights)
  }

  func effectiveDimension() -> Double { moments.effectiveDimension() }
}

extension MetricBuilder {
  /// Λ and the eigenvectors it belongs to; nil where Λ is 0 and nothing is added.
  func ekfacMetric<Element: Readable>(
    of module: ModuleStatistics, as type: Element.Type
  ) throws(CurvatureError) -> EKFACMetric<Element>? {
    guard let moments = try secondMoments(of: module) else { return nil }
    try requirePrecision(moments.facts, module, as: Element.self)
    return EKFACMetric(
      activation: try basis(.activation, of: module, as: type),
      gradient: try basis(.gradient, of: module, as: type), moments: moments)
  }

  /// Λ with its damping; nil where all is 0.
  func secondMoments(of module: ModuleStatistics) throws(CurvatureError) -> DiagonalMetric? {
    let key = try statistics.requiredKey(.lambdaMatrix, of: module)
    return try DiagonalMetric(
      moments: try lambdaMoments(of: module), damping: options.damping,
      place: statistics.place(of: key))
  }

  /// Λ [outputs, inputs], a mean, nowhere negative.
  func lambdaMoments(of module: ModuleStatistics) throws(CurvatureError) -> Matrix<Double> {
    let key = try statistics.requiredKey(.lambdaMatrix, of: module)
    var lambda = try statistics.matrix(
      key, rows: module.outputs, columns: module.inputs, as: Double.self)
    let divisor = module.divisor(of: .lambdaMatrix)
    if divisor != 1 { lambda.scale(by: 1 / divisor) }
    try DiagonalMetric.requireNonNegative(lambda, place: statistics.place(of: key))
    return lambda
  }

  /// The stored eigenvectors of a side, checked; nil where its factor is diagonal.
  func basis<Element: Readable>(
    _ side: KroneckerSide, of module: ModuleStatistics, as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element>? {
    guard !module.isDiagonal(side.covariance) else { return nil }
    let order = side.order(in: module)
    let key = try statistics.requiredKey(side.eigenvectors, of: module)
    let vectors = try statistics.matrix(key, rows: order, columns: order, as: type)
    let deviation = Self.deviationFromOrthogonal(vectors)
    guard deviation <= 1e-2 else {
      throw .value(
        "\(statistics.place(of: key)): the columns are not orthonormal, QᵀQ differs from I by "
          + "\(deviation) of its size, the limit is 0.01; collect the eigenvectors in a wider type")
    }
    return vectors
  }

  /// ‖(QᵀQ − I) P‖_F / ‖P‖_F for a fixed P of 8 columns of signs: an estimate of ‖QᵀQ − I‖_F/√n that
  /// costs two thin products instead of 2 n³ flops.
  private static func deviationFromOrthogonal<Element: Readable>(
    _ vectors: borrowing Matrix<Element>
  ) -> Double {
    let (order, width) = (vectors.rows, 8)
    var state: UInt64 = 0x5DEE_CE66_D1CE_4E5B
    let probe = Matrix<Element>(
      rows: order, columns: width,
      elements: (0..<order * width).map { _ in
        // A step of xorshift64: signs without a pattern, the same at every run.
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state & 1 == 0 ? 1 : -1
      })
    let image = product(vectors, transposedA: true, product(vectors, probe))
    var sum = 0.0
    for row in 0..<order {
      for column in 0..<width {
        let difference = Double(image[row, column] - probe[row, column])
        sum += difference * difference
      }
    }
    return (sum / Double(order * width)).squareRoot()
  }
}
