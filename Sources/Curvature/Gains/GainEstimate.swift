internal import DenseLinearAlgebra

/// What one kind of curvature finds out about a module.
struct GainEstimate {
  /// Of the mean gradient over all samples.
  var gain: Double
  var gradientNormSquared: Double
  var facts: CurvatureFacts
  var precision: Precision
  var errorEstimate: Double?
  var foldGram: FoldGram?
  /// Singular values of the whitened mean gradient, descending, where they were asked for.
  var spectrum: [Double]?
  /// tr(H̃⁻¹ H); nil where folds make it unnecessary.
  var effectiveDimension: Double?
}

extension MetricBuilder {
  /// The gain of the mean gradient and the products of the folds under a metric.
  func estimate<Metric: CurvatureMetric & ~Copyable>(
    of module: ModuleStatistics, under metric: borrowing Metric
  ) throws(CurvatureError) -> GainEstimate {
    var weights = try statistics.gradient(of: module, as: Metric.Element.self)
    let normSquared = weights.sumOfSquares
    try metric.whiten(&weights)
    let gain = weights.sumOfSquares
    // A gain that is not finite is refused later; its gradient has no singular values.
    let spectrum =
      options.wantsSpectrum && gain.isFinite ? try spectrum(of: weights, module) : nil
    var gram: FoldGram?
    if options.effectiveRule != .plain {
      gram = try statistics.foldGram(of: module, as: Metric.Element.self) {
        (gradient: inout Matrix<Metric.Element>) throws(CurvatureError) in
        try metric.whiten(&gradient)
      }
    }
    return GainEstimate(
      gain: gain, gradientNormSquared: normSquared, facts: metric.facts,
      precision: Precision.of(Metric.Element.self), errorEstimate: metric.errorEstimate,
      foldGram: gram, spectrum: spectrum,
      effectiveDimension: gram == nil && module.samples != nil
        ? try metric.effectiveDimension() : nil)
  }

  /// Where neither curvature nor damping is left: 0 for an expert that saw no token, which has no
  /// gradient either, and an error for anything else.
  func flatEstimate(of module: ModuleStatistics) throws(CurvatureError) -> GainEstimate {
    let estimate = try estimate(
      of: module, under: IdentityMetric(parameters: module.parameters))
    guard estimate.gradientNormSquared == 0 else {
      throw .value(
        "module \"\(module.name)\": the curvature is 0 but the gradient is not (‖g‖² = "
          + "\(estimate.gradientNormSquared)), and --damping \(options.damping) adds nothing; "
          + "collect the curvature again, or use --damping absolute:L")
    }
    let nothing = CurvatureFacts(damping: 0, smallestEigenvalue: 0, largestEigenvalue: 0)
    return GainEstimate(
      gain: 0, gradientNormSquared: 0, facts: nothing, precision: .double,
      foldGram: estimate.foldGram, spectrum: estimate.spectrum,
      effectiveDimension: module.samples.map { _ in 0 })
  }

  func kfacEstimate<Element: Readable>(
    of module: ModuleStatistics, _ cache: inout FactorCache<DampedFactor<Element>>
  ) throws(CurvatureError) -> GainEstimate {
    let key = try statistics.requiredKey(.activationCovariance, of: module)
    guard let metric = try kfacMetric(of: module, cache: &cache) else {
      return try flatEstimate(of: module)
    }
    // What the conditions already rule out is not solved for.
    let error = metric.errorEstimate ?? 0
    if Precision.of(Element.self) == .single && !(error <= GainOptions.largestSingleError) {
      cache.keep(metric.releaseActivation(), of: key)
      throw .value("module \"\(module.name)\": single precision may be off by a share of \(error)")
    }
    let estimate = try estimate(of: module, under: metric)
    cache.keep(metric.releaseActivation(), of: key)
    return estimate
  }

  func kroneckerEstimate<Element: Readable>(
    of module: ModuleStatistics, _ cache: inout FactorCache<RotatedFactor<Element>>
  ) throws(CurvatureError) -> GainEstimate {
    let key = try statistics.requiredKey(.activationCovariance, of: module)
    guard let metric = try kroneckerMetric(of: module, cache: &cache) else {
      return try flatEstimate(of: module)
    }
    let estimate = try estimate(of: module, under: metric)
    cache.keep(metric.releaseActivation(), of: key)
    return estimate
  }

  /// By a band of one factor; nil where that path has no answer.
  func bandedKroneckerEstimate(
    of module: ModuleStatistics, _ side: KroneckerSide, _ bands: inout FactorCache<BandedFactor>,
    _ bases: inout FactorCache<RotatedFactor<Double>>
  ) throws(CurvatureError) -> GainEstimate? {
    let key = try statistics.requiredKey(.activationCovariance, of: module)
    guard let metric = try bandedKroneckerMetric(of: module, side, &bands, &bases) else {
      return nil
    }
    let estimate = try estimate(of: module, under: metric)
    switch side {
    case .activation: bands.keep(metric.releaseBand(), of: key)
    case .gradient: bases.keep(metric.releaseBasis(), of: key)
    }
    return estimate
  }

  func ekfacEstimate<Element: Readable>(
    of module: ModuleStatistics, as type: Element.Type
  ) throws(CurvatureError) -> GainEstimate {
    guard let metric = try ekfacMetric(of: module, as: type) else {
      return try flatEstimate(of: module)
    }
    return try estimate(of: module, under: metric)
  }

  /// A result in single precision that is good enough; whatever single precision cannot hold,
  /// factorize or promise, double decides on.
  static func acceptable(_ estimate: GainEstimate?) -> GainEstimate? {
    guard let estimate, estimate.gain.isFinite,
      (estimate.errorEstimate ?? 0) <= GainOptions.largestSingleError
    else { return nil }
    return estimate
  }
}
