internal import DenseLinearAlgebra

/// H̃ = diag(F) + λ I, F [outputs, inputs] the mean squared per-sample gradient; the same for EK-FAC's
/// second moments Λ in their rotated basis.
///
/// - Complexity: O(mn).
struct DiagonalMetric: CurvatureMetric, ~Copyable {
  let facts: CurvatureFacts
  var errorEstimate: Double? { nil }
  /// F, undamped.
  private let moments: Matrix<Double>
  /// `file: "key"` of F, for errors.
  private let place: String

  /// Nil where F and λ are 0. - Precondition: no element is negative.
  init?(
    moments: consuming Matrix<Double>, damping: Damping, place: String
  ) throws(CurvatureError) {
    var (least, largest, total) = (Double.infinity, 0.0, 0.0)
    for row in 0..<moments.rows {
      for column in 0..<moments.columns {
        let value = moments[row, column]
        (least, largest, total) = (min(least, value), max(largest, value), total + value)
      }
    }
    let lambda = damping.value(meanEigenvalue: total / Double(max(moments.count, 1)))
    facts = CurvatureFacts(
      damping: lambda, smallestEigenvalue: least + lambda, largestEigenvalue: largest + lambda)
    guard !facts.isFlat else { return nil }
    self.moments = moments
    self.place = place
  }

  /// Refuses what cannot be a mean of squares, naming the first element.
  static func requireNonNegative(
    _ moments: borrowing Matrix<Double>, place: String
  ) throws(CurvatureError) {
    for row in 0..<moments.rows {
      for column in 0..<moments.columns where !(moments[row, column] >= 0) {
        throw .value(
          "\(place): element [\(row), \(column)] is \(moments[row, column]), but a mean of squares "
            + "is never negative; check how it was collected")
      }
    }
  }

  func whiten(_ gradient: inout Matrix<Double>) throws(CurvatureError) { try divide(&gradient) }

  /// W := W / √(F + λ) in the precision of W, divided in Float64.
  func divide<Element: Readable>(_ gradient: inout Matrix<Element>) throws(CurvatureError) {
    let lambda = facts.damping
    try gradient.scaleElements { row, column throws(CurvatureError) in
      let curvature = moments[row, column] + lambda
      guard curvature > 0 else {
        throw .value(
          "\(place): element [\(row), \(column)] is 0 after damping where the gradient is not; raise "
            + "--damping")
      }
      return 1 / curvature.squareRoot()
    }
  }

  func effectiveDimension() -> Double {
    let lambda = facts.damping
    var sum = 0.0
    moments.withSpan { values in
      for index in 0..<values.count where values[index] > 0 {
        sum += values[index] / (values[index] + lambda)
      }
    }
    return sum
  }
}

extension MetricBuilder {
  /// F in the layout [outputs, inputs]; nil where it is all 0 and nothing is added.
  func diagonalMetric(
    of module: ModuleStatistics
  ) throws(CurvatureError) -> DiagonalMetric? {
    let key = try statistics.requiredKey(.fisherDiagonal, of: module)
    return try DiagonalMetric(
      moments: try fisherMoments(of: module), damping: options.damping,
      place: statistics.place(of: key))
  }

  /// F [outputs, inputs], a mean, nowhere negative.
  func fisherMoments(of module: ModuleStatistics) throws(CurvatureError) -> Matrix<Double> {
    let key = try statistics.requiredKey(.fisherDiagonal, of: module)
    var fisher = try statistics.matrix(
      key, rows: module.transposed ? module.inputs : module.outputs,
      columns: module.transposed ? module.outputs : module.inputs, as: Double.self)
    if module.transposed { fisher = fisher.transposed() }
    let divisor = module.divisor(of: .fisherDiagonal)
    if divisor != 1 { fisher.scale(by: 1 / divisor) }
    try DiagonalMetric.requireNonNegative(fisher, place: statistics.place(of: key))
    return fisher
  }
}
