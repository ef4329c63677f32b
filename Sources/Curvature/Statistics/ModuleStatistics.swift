/// What statistics say of one module, read from headers and counts alone.
public struct ModuleStatistics: Sendable, Equatable {
  /// As in the model: `model.layers.3.mlp.up_proj`.
  public let name: String
  /// Rows of the gradient: the module's outputs.
  public let outputs: Int
  /// Columns of the gradient as used: the module's inputs, plus one where a bias takes part.
  public let inputs: Int
  /// Whether `bias_gradient` is read and appended as the last column.
  public let appendsBias: Bool
  /// Whether there is a bias whose curvature has no row for it, so that it takes no part.
  public let leavesOutBias: Bool
  /// S, the number of gradient folds; nil where there are none, or where they leave out a bias that
  /// takes part.
  public let folds: Int?
  /// N, the samples that the gradient is a mean over, where known.
  public let samples: Double?
  /// T, the tokens that the covariances are means over, where known; 0 for an expert that saw none.
  public let tokens: Double?
  /// Tensor that holds each quantity, aliases resolved.
  let keys: [StatisticsQuantity: String]
  /// Shape of each stored quantity.
  let shapes: [StatisticsQuantity: [Int]]
  /// What turns stored sums into means, where not 1.
  let divisors: [StatisticsQuantity: Double]
  /// Whether gradients are stored [in, out].
  let transposed: Bool

  /// Weights of the module, the bias included where it takes part.
  public var parameters: Int { outputs * inputs }

  func key(_ quantity: StatisticsQuantity) -> String? { keys[quantity] }
  func divisor(of quantity: StatisticsQuantity) -> Double { divisors[quantity] ?? 1 }
  /// Whether a factor is stored as its diagonal alone.
  func isDiagonal(_ quantity: StatisticsQuantity) -> Bool { shapes[quantity]?.count == 1 }
}

extension ModuleStatistics {
  /// The quantities a kind lacks here, as text for an error; nil where it has all.
  func lacks(for kind: CurvatureKind) -> String? {
    let missing = kind.required(of: self).filter { keys[$0] == nil }
    return missing.isEmpty ? nil : missing.map { ".\($0.rawValue)" }.joined(separator: ", ")
  }

  /// Whether the module has all that a kind needs.
  public func allows(_ kind: CurvatureKind) -> Bool { lacks(for: kind) == nil }

  /// Every quantity that is read for a kind.
  func quantitiesRead(for kind: CurvatureKind, rule: GainRule) -> [StatisticsQuantity] {
    var quantities = kind.required(of: self)
    if keys[.gradient] != nil {
      quantities.append(.gradient)
    } else {
      quantities += [.tokenInputs, .tokenOutputGradients]
    }
    if appendsBias { quantities.append(.biasGradient) }
    if folds != nil && rule != .plain { quantities.append(.gradientFolds) }
    if quantities.contains(.tokenInputs), keys[.sampleOffsets] != nil {
      quantities.append(.sampleOffsets)
    }
    var seen: Set<StatisticsQuantity> = []
    return quantities.filter { seen.insert($0).inserted }
  }

  /// The quantities the module has, as stored names; its counts are shown as numbers elsewhere.
  public var summary: String {
    StatisticsQuantity.allCases.filter { keys[$0] != nil && !$0.rawValue.hasPrefix("num_") }
      .map(\.rawValue).joined(separator: " ")
  }
}
