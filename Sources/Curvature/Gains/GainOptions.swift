/// How gains are computed: everything that decides their value.
public struct GainOptions: Sendable, Equatable {
  public var kind: CurvatureKind
  public var damping: Damping
  public var precision: Precision
  public var rule: GainRule
  public var tokensPerSample: TokensPerSample
  public var largeFactors: LargeFactorRule
  /// Whether the singular values of the whitened gradient are computed too; needs
  /// `CurvatureKind.hasSpectrum`.
  public var wantsSpectrum = false
  /// For tests and measurements: how `kronecker` is computed; the cheapest way where nil.
  package var kroneckerPath: KroneckerPath?

  /// The largest order of a dense factor: LAPACK's workspace of 2 n² elements is counted in 32 bits.
  public static let largestFactor = 32_766
  /// A result in single precision whose relative error may exceed this is computed in double.
  public static let largestSingleError = 1e-4

  public init(
    kind: CurvatureKind = .kfac, damping: Damping = .standard, precision: Precision = .single,
    rule: GainRule = .automatic, tokensPerSample: TokensPerSample = .fixed(1),
    largeFactors: LargeFactorRule = .error
  ) {
    self.kind = kind
    self.damping = damping
    self.precision = precision
    self.rule = rule
    self.tokensPerSample = tokensPerSample
    self.largeFactors = largeFactors
  }

  /// The rule with `automatic` resolved where the kind decides: under the empirical Fisher it is `plain`.
  /// That curvature is made of the very gradients that would be cross-fitted, and spans nothing else,
  /// so the argument of cross-fitting, in which H̃ is given, does not hold. (docs/curvature.md measures
  /// it: with 64 samples such gains have nothing to do with those of any other kind.)
  public var effectiveRule: GainRule {
    kind == .fisher && rule == .automatic ? .plain : rule
  }

  func kroneckerPath(of module: ModuleStatistics) -> KroneckerPath {
    kroneckerPath
      ?? .cheapest(
        for: module, gradients: 1 + (effectiveRule == .plain ? 0 : module.folds ?? 0))
  }

  /// Whether only the diagonal of a stored dense factor is read, because it is too large.
  func readsDiagonalAlone(of quantity: StatisticsQuantity, _ module: ModuleStatistics) -> Bool {
    largeFactors == .diagonal && kind.isPerToken
      && module.largeFactors(for: kind).contains(quantity)
  }
}

/// What to do with a module whose dense factor has an order above `GainOptions.largestFactor`, such as
/// that of a vocabulary.
public enum LargeFactorRule: String, CaseIterable, Sendable {
  /// Leave the module out and say so.
  case skip
  /// Use the diagonal of that factor.
  case diagonal
  case error
}

/// c, by which the per-token curvature A ⊗ G is multiplied to be that of a sample, if its tokens were
/// independent. Only this makes modules comparable that see different numbers of tokens.
public enum TokensPerSample: Sendable, Equatable, CustomStringConvertible {
  case fixed(Double)
  /// T/N of each module, from its counts.
  case automatic

  /// Reads `auto` or a finite number above 0.
  public init?(_ text: String) {
    if text == "auto" {
      self = .automatic
    } else if let value = Double(text), value.isFinite, value > 0 {
      self = .fixed(value)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .fixed(let value): value == value.rounded() ? "\(Int(value))" : "\(value)"
    case .automatic: "auto"
    }
  }

  /// c of a module. An expert that saw no token has c = 1: all it has is 0.
  func value(of module: ModuleStatistics) throws(CurvatureError) -> Double {
    switch self {
    case .fixed(let value): return value
    case .automatic:
      guard let tokens = module.tokens, let samples = module.samples, samples > 0 else {
        throw .statistics(
          "module \"\(module.name)\" does not say its numbers of tokens and samples, which "
            + "--tokens-per-sample auto needs; store num_tokens and num_samples, or give a number")
      }
      return tokens > 0 ? tokens / samples : 1
    }
  }
}

extension ModuleStatistics {
  /// Dense factors of a kind that are above the limit.
  func largeFactors(for kind: CurvatureKind) -> [StatisticsQuantity] {
    guard kind.isPerToken else { return [] }
    return [.activationCovariance, .gradientCovariance].filter {
      (shapes[$0]?.count ?? 0) == 2 && (shapes[$0]?[0] ?? 0) > GainOptions.largestFactor
    }
  }
}
