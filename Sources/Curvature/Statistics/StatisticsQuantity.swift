/// The quantities that a statistics file holds per module; the raw value is the last part of a key
/// `<module>.<quantity>`. Shapes are in docs/notation.md.
public enum StatisticsQuantity: String, CaseIterable, Sendable {
  case gradient
  case gradientFolds = "gradient_folds"
  case biasGradient = "bias_gradient"
  case activationCovariance = "activation_covariance"
  case gradientCovariance = "gradient_covariance"
  case activationEigenvectors = "activation_eigenvectors"
  case activationEigenvalues = "activation_eigenvalues"
  case gradientEigenvectors = "gradient_eigenvectors"
  case gradientEigenvalues = "gradient_eigenvalues"
  case lambdaMatrix = "lambda_matrix"
  case fisherDiagonal = "fisher_diagonal"
  case tokenInputs = "token_inputs"
  case tokenOutputGradients = "token_output_gradients"
  case sampleOffsets = "sample_offsets"
  case gram
  case hessian
  case tokenCount = "num_tokens"
  case sampleCount = "num_samples"
  // Counts of one quantity each, which go before the two above; the names are kronfluence's.
  case activationCovarianceCount = "num_activation_covariance_processed"
  case gradientCovarianceCount = "num_gradient_covariance_processed"
  case lambdaCount = "num_lambda_processed"

  /// The quantities that are means over samples or tokens, and may be stored as sums.
  static let means: Set<StatisticsQuantity> = [
    .gradient, .gradientFolds, .biasGradient, .activationCovariance, .gradientCovariance,
    .lambdaMatrix, .fisherDiagonal, .hessian,
  ]

  /// The counts a mean is over, the most specific first.
  var counts: [StatisticsQuantity] {
    switch self {
    case .activationCovariance: [.activationCovarianceCount, .tokenCount]
    case .gradientCovariance: [.gradientCovarianceCount, .tokenCount]
    case .lambdaMatrix, .fisherDiagonal: [.lambdaCount, .sampleCount]
    default: [.sampleCount]
    }
  }

  /// Whether a mean is over tokens and not over samples.
  var isPerToken: Bool { self == .activationCovariance || self == .gradientCovariance }

  /// Splits a key at its last dot; nil when what follows is not a quantity.
  static func split(_ key: String) -> (module: String, quantity: StatisticsQuantity)? {
    guard let dot = key.utf8.lastIndex(of: UInt8(ascii: ".")), dot != key.startIndex,
      let quantity = StatisticsQuantity(rawValue: String(key[key.utf8.index(after: dot)...]))
    else { return nil }
    return (String(key[..<dot]), quantity)
  }

  /// The known quantity that a mistyped one most resembles.
  static func nearest(to text: String) -> StatisticsQuantity? {
    let ranked = allCases.map { (quantity: $0, distance: editDistance($0.rawValue, text)) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= 4 else {
      return nil
    }
    return best.quantity
  }
}

/// The number of single-byte insertions, deletions and replacements between two texts.
/// - Complexity: O(mn).
public func editDistance(_ left: String, _ right: String) -> Int {
  let right = Array(right.utf8.prefix(200))
  var row = Array(0...right.count)
  for (i, a) in left.utf8.prefix(200).enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, b) in right.enumerated() {
      let replaced = diagonal + (a == b ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[right.count]
}
