/// What a statistics file says of one module, read from headers alone: names, shapes, counts.
public struct ModuleStatistics: Sendable, Equatable {
  /// As in the model: `model.layers.3.mlp.up_proj`.
  public let name: String
  /// Rows of the gradient: the module's outputs.
  public let outputs: Int
  /// Columns of the gradient as used: the module's inputs, plus one where a bias takes part.
  public let inputs: Int
  /// Whether `bias_gradient` is read and appended as the last column.
  public let appendsBias: Bool
  /// S, the number of gradient folds; nil where there are none, or where they leave out a bias that
  /// takes part.
  public let folds: Int?
  /// Tensor that holds each quantity, aliases resolved.
  let keys: [StatisticsQuantity: String]
  /// Divisors that turn stored sums into means; 1 for stored means.
  let sampleDivisor: Double
  let tokenDivisor: Double

  /// Weights of the module, the bias included where it takes part.
  public var parameters: Int { outputs * inputs }

  func key(_ quantity: StatisticsQuantity) -> String? { keys[quantity] }
}

extension ModuleStatistics {
  /// Whether the module has all that a kind needs.
  public func allows(_ kind: CurvatureKind) -> Bool {
    kind.requiredQuantities.allSatisfy { keys[$0] != nil }
  }

  /// The quantities the module has, as stored names.
  public var summary: String {
    StatisticsQuantity.allCases.filter { keys[$0] != nil }.map(\.rawValue).joined(separator: " ")
  }
}
