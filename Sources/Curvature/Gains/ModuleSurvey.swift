internal import DenseLinearAlgebra

/// What can be said of a module's curvature without decomposing it or computing a gain.
public struct ModuleSurvey: Sendable, Equatable {
  public let module: ModuleStatistics
  /// ‖g‖² of the mean gradient.
  public let gradientNormSquared: Double
  /// Damping, π, and bounds on the spectrum of H̃; its condition number is at most their quotient.
  public let facts: CurvatureFacts

  /// ‖g‖²/λmax ≤ ζ² ≤ ‖g‖²/λmin of the plain gain.
  public var bounds: (lower: Double, upper: Double?) {
    facts.bounds(gradientNormSquared: gradientNormSquared)
  }

  /// λmax/λmin of the bounds; nil where λmin may be 0.
  public var largestCondition: Double? {
    let condition = facts.largestEigenvalue / facts.smallestEigenvalue
    return condition.isFinite ? condition : nil
  }
}

extension GainComputer {
  /// Reads and checks a module's tensors as `gain(of:)` does, and stops before the decomposition.
  /// For `fisher` that includes the Gram matrix of the samples.
  /// - Complexity: every tensor that the kind needs is read once.
  public func survey(of module: ModuleStatistics) throws(CurvatureError) -> ModuleSurvey {
    ModuleSurvey(
      module: module,
      gradientNormSquared: try builder.statistics.gradient(of: module, as: Double.self)
        .sumOfSquares,
      facts: try builder.facts(of: module))
  }
}

extension MetricBuilder {
  fileprivate func facts(of module: ModuleStatistics) throws(CurvatureError) -> CurvatureFacts {
    let nothing = CurvatureFacts(damping: 0, smallestEigenvalue: 0, largestEigenvalue: 0)
    switch options.kind {
    case .identity: return IdentityMetric(parameters: module.parameters).facts
    case .diagonal: return try diagonalMetric(of: module)?.facts ?? nothing
    case .ekfac: return try secondMoments(of: module)?.facts ?? nothing
    case .fisher: return fisherFacts(try sampleGram(of: module))
    case .kfac, .kronecker:
      let scale = try options.tokensPerSample.value(of: module)
      let g = try statistics.factor(.gradient, of: module, under: options, as: Double.self).summary
      let a = try statistics.factor(.activation, of: module, under: options, as: Double.self)
        .summary
      return options.kind == .kfac
        ? .kfac(a, g, damping: options.damping, scale: scale)
        : .kronecker(a, g, damping: options.damping, scale: scale)
    case .dense:
      let hessian = try hessian(of: module)
      let lambda = options.damping.value(
        meanEigenvalue: hessian.trace / Double(module.parameters))
      return CurvatureFacts(
        damping: lambda, smallestEigenvalue: lambda,
        largestEigenvalue: hessian.sumOfSquares.squareRoot() + lambda)
    }
  }
}
