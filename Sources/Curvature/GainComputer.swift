internal import DenseLinearAlgebra

/// Computes the gains of one rank's modules, one module in memory at a time.
///
/// Not collective: no rank waits for another here. The value is a handle that keeps the Cholesky
/// factor of the last input covariance, because neighbouring modules often share it; so it is moved,
/// never copied.
public struct GainComputer: ~Copyable {
  let statistics: Statistics
  let kind: CurvatureKind
  let damping: Damping
  let precision: Precision
  let rule: GainRule
  var singleCache = FactorCache<Float>()
  var doubleCache = FactorCache<Double>()

  public init(
    statistics: Statistics, kind: CurvatureKind, damping: Damping, precision: Precision,
    rule: GainRule = .automatic
  ) {
    self.rule = rule
    self.statistics = statistics
    self.kind = kind
    self.damping = damping
    self.precision = precision
  }

  /// ζ² = gᵀ H̃⁻¹ g of one module.
  ///
  /// Reads the module's tensors and checks their values. Throws with module, key, value and what to
  /// try; nothing is skipped silently.
  /// - Complexity: see `CurvatureKind.floatingPointOperations`.
  public mutating func gain(of module: ModuleStatistics) throws(CurvatureError) -> ModuleGain {
    guard rule != .crossFitted || module.folds != nil else {
      throw .statistics(
        "module \"\(module.name)\" has no .gradient_folds for its whole gradient, which --gain "
          + "cross-fitted needs; collect folds or use --gain auto")
    }
    let estimate: GainEstimate
    switch kind {
    case .identity: estimate = try identityGain(of: module)
    case .diagonal: estimate = try diagonalGain(of: module)
    case .kfac: estimate = try kfacGain(of: module)
    case .dense: estimate = try denseGain(of: module)
    }
    guard estimate.gain.isFinite, estimate.gain >= 0 else {
      throw .value(
        "module \"\(module.name)\": the gain is \(estimate.gain), which no curvature can give; "
          + "its values are too large or too small for \(estimate.precision) precision, try "
          + "--precision double or a larger --damping")
    }
    return ModuleGain(
      name: module.name, shape: [module.outputs, module.inputs],
      gain: estimate.foldGram.map { max($0.crossFittedGain, 0) } ?? estimate.gain,
      plainGain: estimate.gain, foldGram: estimate.foldGram,
      gradientNormSquared: estimate.gradientNormSquared, damping: estimate.damping,
      precision: estimate.precision,
      conditionNumber: estimate.conditionNumber.flatMap { $0.isFinite ? $0 : nil },
      errorEstimate: estimate.errorEstimate.flatMap { $0.isFinite ? $0 : nil },
      checksum: try statistics.checksum(of: module, kind: kind, rule: rule))
  }

  /// Modules in the order that lets shared factors be used again: by the input covariance they
  /// read, then by name. Gains do not depend on it.
  public static func computingOrder(_ modules: [ModuleStatistics]) -> [ModuleStatistics] {
    modules.enumerated().sorted { left, right in
      let a = left.element.key(.activationCovariance) ?? left.element.name
      let b = right.element.key(.activationCovariance) ?? right.element.name
      return a == b ? left.offset < right.offset : a.utf8.lexicographicallyPrecedes(b.utf8)
    }.map(\.element)
  }
}

/// What one kind of curvature finds out about a module.
struct GainEstimate {
  /// Of the mean gradient over all samples.
  var gain: Double
  var gradientNormSquared: Double
  var damping: Double
  var precision: Precision
  var conditionNumber: Double?
  var errorEstimate: Double?
  var foldGram: FoldGram?
}

extension GainComputer {
  /// Whitens the folds of a module, if the rule wants them. See `Statistics.foldGram`.
  func foldGram<Element: Readable>(
    of module: ModuleStatistics, as type: Element.Type,
    whiten: (inout Matrix<Element>) throws(CurvatureError) -> Void
  ) throws(CurvatureError) -> FoldGram? {
    rule == .plain ? nil : try statistics.foldGram(of: module, as: type, whiten: whiten)
  }
}

extension Precision {
  /// The largest relative error of one rounding.
  var unitRoundoff: Double {
    switch self {
    case .single: 0x1p-24
    case .double: 0x1p-53
    }
  }
}

extension CurvatureKind {
  /// Predicted work for a module of n inputs and m outputs, by which slices are balanced: whitening
  /// is done once for the mean gradient and once for every fold.
  public func floatingPointOperations(of module: ModuleStatistics, rule: GainRule) -> Double {
    let n = Double(module.inputs)
    let m = Double(module.outputs)
    let gradients = Double(1 + (rule == .plain ? 0 : module.folds ?? 0))
    switch self {
    case .identity: return gradients * 2 * m * n
    case .diagonal: return gradients * 4 * m * n
    case .kfac: return (n * n * n + m * m * m) / 3 + gradients * (m * m * n + m * n * n)
    case .dense: return m * n * m * n * (m * n / 3 + gradients)
    }
  }

  /// Peak bytes that computing a module's gain holds. Folds are held twice: as read and whitened.
  public func workingSet(
    of module: ModuleStatistics, precision: Precision, rule: GainRule
  ) -> Int {
    let (n, m) = (module.inputs, module.outputs)
    let gradients = 1 + (rule == .plain ? 0 : 2 * (module.folds ?? 0))
    let wide = precision == .single ? 4 : 8
    switch self {
    case .identity: return 8 * m * n * gradients
    case .diagonal: return 8 * m * n * (gradients + 1)
    case .kfac: return wide * (m * n * gradients + n * n + m * m)
    case .dense: return 8 * (m * n * m * n + m * n * gradients)
    }
  }
}
