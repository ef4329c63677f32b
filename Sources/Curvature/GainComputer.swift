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
  var singleCache = FactorCache<Float>()
  var doubleCache = FactorCache<Double>()

  public init(
    statistics: Statistics, kind: CurvatureKind, damping: Damping, precision: Precision
  ) {
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
      name: module.name, shape: [module.outputs, module.inputs], gain: estimate.gain,
      gradientNormSquared: estimate.gradientNormSquared, damping: estimate.damping,
      precision: estimate.precision,
      conditionNumber: estimate.conditionNumber.flatMap { $0.isFinite ? $0 : nil },
      errorEstimate: estimate.errorEstimate.flatMap { $0.isFinite ? $0 : nil },
      checksum: try statistics.checksum(of: module, kind: kind))
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
  var gain: Double
  var gradientNormSquared: Double
  var damping: Double
  var precision: Precision
  var conditionNumber: Double?
  var errorEstimate: Double?
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
  /// Predicted work for a module of n inputs and m outputs, by which slices are balanced.
  public func floatingPointOperations(of module: ModuleStatistics) -> Double {
    let n = Double(module.inputs)
    let m = Double(module.outputs)
    switch self {
    case .identity: return 2 * m * n
    case .diagonal: return 4 * m * n
    case .kfac: return (n * n * n + m * m * m) / 3 + m * m * n + m * n * n
    case .dense: return m * n * m * n * m * n / 3
    }
  }

  /// Peak bytes that computing a module's gain holds.
  public func workingSet(of module: ModuleStatistics, precision: Precision) -> Int {
    let (n, m) = (module.inputs, module.outputs)
    let wide = precision == .single ? 4 : 8
    switch self {
    case .identity: return 8 * m * n
    case .diagonal: return 16 * m * n
    case .kfac: return wide * (m * n + n * n + m * m)
    case .dense: return 8 * (m * n * m * n + m * n)
    }
  }
}
