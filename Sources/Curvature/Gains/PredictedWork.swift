extension CurvatureKind {
  /// Predicted work for a module of n inputs and m outputs, by which slices are balanced: the
  /// decomposition, and whitening once for the mean gradient and once for every fold.
  public func floatingPointOperations(of module: ModuleStatistics, rule: GainRule) -> Double {
    let n = Double(module.inputs)
    let m = Double(module.outputs)
    let gradients = Double(1 + (rule == .plain ? 0 : module.folds ?? 0))
    // A diagonal factor costs nothing beside a dense one.
    let n3 = module.isDiagonal(.activationCovariance) ? 0 : n * n * n
    let m3 = module.isDiagonal(.gradientCovariance) ? 0 : m * m * m
    switch self {
    case .identity: return gradients * 2 * m * n
    case .diagonal: return gradients * 4 * m * n
    case .kfac:
      // The effective dimension, where it is reported, inverts both factors.
      let inverses = module.samples != nil && gradients == 1 ? (n3 + m3) / 3 : 0
      let elements = (n3 > 0 ? n * n : 0) + (m3 > 0 ? m * m : 0) + gradients * m * n
      return (n3 + m3) / 3 + gradients * (m * m * n + m * n * n) + inverses
        + Self.passes * elements
    case .kronecker:
      let path = KroneckerPath.cheapest(for: module, gradients: Int(gradients))
      return path.work(for: module, Int(gradients))
    case .ekfac: return 2 * gradients * (m * m * n + m * n * n)
    case .fisher:
      let rows = Double(module.capturedSamples)
      return (module.gramToMake?.work ?? 0) + rows * rows * (rows / 3 + 4 * gradients)
    case .dense: return m * n * m * n * (m * n + 2 * gradients)
    }
  }

  /// What checks, norms, condition estimates and copies of one element take, in operations that products make
  /// meanwhile: measured, 120 to 140 in single and 160 to 200 in double precision at orders 1024 to 4096
  /// (docs/performance.md). It is what keeps small factors from the rate of products.
  private static var passes: Double { 150 }

  /// Predicted work of a whitened gradient's singular values, k the shorter side.
  public static func spectrumOperations(of module: ModuleStatistics) -> Double {
    let (n, m) = (Double(module.inputs), Double(module.outputs))
    let k = min(n, m)
    return 4 * m * n * k - 4 / 3 * k * k * k
  }

  /// Peak bytes that computing a module's gain holds. A fold is held as read and all of them
  /// whitened.
  public func workingSet(of module: ModuleStatistics, precision: Precision, rule: GainRule) -> Int {
    let (n, m) = (module.inputs, module.outputs)
    let gradients = 2 + (rule == .plain ? 0 : module.folds ?? 0)
    let wide = precision == .single ? 4 : 8
    let n2 = module.isDiagonal(.activationCovariance) ? 0 : n * n
    let m2 = module.isDiagonal(.gradientCovariance) ? 0 : m * m
    switch self {
    case .identity: return 8 * m * n * gradients
    case .diagonal: return 8 * m * n * (gradients + 1)
    case .kfac: return wide * (m * n * gradients + n2 + m2)
    // The decomposition's workspace of 2 n² beside the factors; double, which is nearly always needed.
    case .kronecker: return 8 * (m * n * gradients + n2 + m2 + 2 * max(n2, m2))
    case .ekfac: return 8 * (m * n * (gradients + 2) + n * n + m * m)
    case .fisher:
      let rows = module.capturedSamples
      return 8 * 2 * rows * rows + (module.gramToMake?.workingSet ?? 0)
    case .dense: return 8 * (2 * m * n * m * n + m * n * gradients)
    }
  }
}

extension ModuleStatistics {
  /// Samples in the raw captures or the Gram matrix.
  fileprivate var capturedSamples: Int {
    shapes[.gram]?.first ?? shapes[.sampleOffsets]?.first.map { max($0 - 1, 0) } ?? capturedTokens
  }

  fileprivate var capturedTokens: Int { shapes[.tokenInputs]?.first ?? 0 }

  /// The work on raw captures; nil where a Gram matrix is stored.
  fileprivate var gramToMake: SampleGram? {
    guard shapes[.gram] == nil else { return nil }
    return SampleGram(
      samples: capturedSamples, tokens: capturedTokens, outputs: outputs, inputs: inputs)
  }
}
