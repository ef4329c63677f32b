internal import DenseLinearAlgebra

/// Computes the gains of one rank's modules, one module in memory at a time.
///
/// Not collective: no rank waits for another here. The value is a handle that keeps the last
/// decomposed input covariance, because neighbouring modules often share it; so it is moved, never
/// copied.
public struct GainComputer: ~Copyable {
  let builder: MetricBuilder
  /// The next module's matrices take the memory of this one's.
  private let reuse = MatrixReuse()
  private var kfacSingle = FactorCache<DampedFactor<Float>>()
  private var kfacDouble = FactorCache<DampedFactor<Double>>()
  private var kroneckerSingle = FactorCache<RotatedFactor<Float>>()
  private var kroneckerDouble = FactorCache<RotatedFactor<Double>>()
  private var kroneckerBands = FactorCache<BandedFactor>()

  public init(statistics: Statistics, options: GainOptions) {
    builder = MetricBuilder(statistics: statistics.notingContents(), options: options)
  }

  /// How often an input covariance was found decomposed by an earlier module.
  public var sharedFactors: Int {
    kfacSingle.hits + kfacDouble.hits + kroneckerSingle.hits + kroneckerDouble.hits
      + kroneckerBands.hits
  }

  /// ζ² = gᵀ H̃⁻¹ g of one module.
  ///
  /// Reads the module's tensors and checks their values. Throws with module, key, value and what to
  /// try; nothing is skipped silently. Single precision repeats in double when its error estimate
  /// exceeds `GainOptions.largestSingleError`, when a factor is not positive definite in single, or
  /// when a value does not fit; the result says which precision it has.
  /// - Complexity: see `CurvatureKind.floatingPointOperations`.
  public mutating func gain(of module: ModuleStatistics) throws(CurvatureError) -> ModuleGain {
    let options = builder.options
    guard options.rule != .crossFitted || module.folds != nil else {
      throw .statistics(
        "module \"\(module.name)\" has no .gradient_folds for its whole gradient, which --gain "
          + "cross-fitted needs; collect folds or use --gain auto")
    }
    let estimate = try estimate(of: module)
    guard estimate.gain.isFinite, estimate.gain >= 0 else {
      throw .value(
        "module \"\(module.name)\": the gain is \(estimate.gain), which no curvature can give; "
          + "its values are too large or too small for \(estimate.precision) precision, try "
          + "--precision double or a larger --damping")
    }
    return ModuleGain(
      module, estimate,
      checksum: try builder.statistics.checksum(of: module, under: options))
  }

  private mutating func estimate(
    of module: ModuleStatistics
  ) throws(CurvatureError) -> GainEstimate {
    switch builder.options.kind {
    case .identity:
      return try builder.estimate(of: module, under: IdentityMetric(parameters: module.parameters))
    case .diagonal:
      guard let metric = try builder.diagonalMetric(of: module) else { break }
      return try builder.estimate(of: module, under: metric)
    case .dense:
      guard let metric = try builder.denseMetric(of: module) else { break }
      return try builder.estimate(of: module, under: metric)
    case .fisher:
      return try builder.fisherEstimate(of: module)
    case .ekfac:
      if builder.options.precision == .single,
        let single = MetricBuilder.acceptable(
          try? builder.ekfacEstimate(of: module, as: Float.self))
      {
        return single
      }
      return try builder.ekfacEstimate(of: module, as: Double.self)
    case .kfac:
      if builder.options.precision == .single,
        let single = MetricBuilder.acceptable(
          try? builder.kfacEstimate(of: module, &kfacSingle))
      {
        return single
      }
      return try builder.kfacEstimate(of: module, &kfacDouble)
    case .kronecker:
      // A band is solved in double precision, which is faster than two decompositions in single.
      if case .band(let side) = builder.options.kroneckerPath(of: module),
        let banded = try builder.bandedKroneckerEstimate(
          of: module, side, &kroneckerBands, &kroneckerDouble)
      {
        return banded
      }
      _ = kroneckerBands.take("")
      if builder.options.precision == .single,
        let single = MetricBuilder.acceptable(
          try? builder.kroneckerEstimate(of: module, &kroneckerSingle))
      {
        return single
      }
      return try builder.kroneckerEstimate(of: module, &kroneckerDouble)
    }
    return try builder.flatEstimate(of: module)
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
