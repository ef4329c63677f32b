internal import DenseLinearAlgebra

/// A factor as A = Q B Qᵀ with B a narrow band.
struct BandedFactor: ~Copyable {
  let summary: FactorSummary
  let reduction: BandReduction

  /// Nil for a diagonal factor, which has no use for it.
  init?(_ factor: consuming KroneckerFactor<Double>) throws(LinearAlgebraError) {
    summary = factor.summary
    switch consume factor.form {
    case .dense(let matrix): reduction = try BandReduction(reducing: matrix)
    case .diagonal: return nil
    }
  }
}

/// H̃ = c A ⊗ G + λ I, exactly, with one factor in its eigenbasis and the other as a band.
///
/// For A = Q B Qᵀ and G = Q_G diag(s) Q_Gᵀ, row i of T = Q_Gᵀ W Q belongs to c sᵢ B + λ I = L Lᵀ and
/// becomes L⁻¹ T_i: no eigenvector of A is needed. A banded G is the same with W transposed. Always
/// in double precision.
struct BandedKroneckerMetric: CurvatureMetric, ~Copyable {
  private let banded: BandedFactor
  private let side: KroneckerSide
  private let rotated: RotatedFactor<Double>
  private let scale: Double
  private let moduleName: String
  private(set) var facts: CurvatureFacts

  /// Nil where B may not be semidefinite within rounding: its negative eigenvalues would count as 0, and
  /// only an eigendecomposition tells them from the others.
  init?(
    _ banded: consuming BandedFactor, _ side: KroneckerSide,
    _ rotated: consuming RotatedFactor<Double>,
    facts: CurvatureFacts, scale: Double, moduleName: String
  ) {
    // A shift of B by τ moves no gain by more than a share of τ c s/λ, s the largest eigenvalue.
    let band = banded.reduction.band
    let largest = rotated.values.max() ?? 0
    let size = band.largestRowSum
    let tolerance = max(0x1p-36 * facts.damping / (scale * largest), 0x1p-47 * size)
    guard facts.damping > 0, largest > 0, tolerance.isFinite,
      tolerance * scale * largest < 0x1p-10 * facts.damping,
      let bounds = band.semidefiniteBounds(tolerance: tolerance)
    else { return nil }
    self.facts = facts
    self.facts.smallestEigenvalue =
      scale * (rotated.values.min() ?? 0) * bounds.smallest + facts.damping
    self.facts.largestEigenvalue = scale * largest * bounds.largest + facts.damping
    self.facts.conditionNumber = self.facts.largestEigenvalue / self.facts.smallestEigenvalue
    self.facts.clamped = rotated.clamped
    self.banded = banded
    self.side = side
    self.rotated = rotated
    self.scale = scale
    self.moduleName = moduleName
  }

  /// As of `KroneckerMetric`: the reduction is that of a factor changed by u times its norm.
  var errorEstimate: Double? {
    facts.conditionNumber.map { 2 * Precision.double.unitRoundoff * $0 }
  }

  /// Leaves W transposed where G is the band.
  func whiten(_ weights: inout Matrix<Double>) throws(CurvatureError) {
    switch side {
    case .activation: rotated.rotateRows(&weights)
    case .gradient:
      rotated.rotateColumns(&weights)
      weights = weights.transposed()
    }
    banded.reduction.carry(&weights)
    do {
      try banded.reduction.band.whiten(
        &weights, scales: rotated.values.map { scale * $0 }, shift: facts.damping)
    } catch {
      throw .value(
        "module \"\(moduleName)\": the curvature is not positive definite after damping by "
          + "\(facts.damping): \(error); raise --damping")
    }
  }

  func effectiveDimension() throws(CurvatureError) -> Double {
    let values: [Double]
    do { values = try banded.reduction.band.eigenvalues() } catch {
      throw .value("module \"\(moduleName)\": \(error); use --curvature kfac")
    }
    var sum = 0.0
    for s in rotated.values {
      for t in values where s * t > 0 {
        sum += scale * s * t / (scale * s * t + facts.damping)
      }
    }
    return sum
  }

  /// Gives the factor of the inputs back, where it is the band, for the next module that shares it.
  consuming func releaseBand() -> BandedFactor { banded }
  /// The same where it is the other.
  consuming func releaseBasis() -> RotatedFactor<Double> { rotated }
}

extension MetricBuilder {
  /// One eigendecomposition and one reduction; nil where only two decompositions know the answer, or
  /// where there is none to give.
  func bandedKroneckerMetric(
    of module: ModuleStatistics, _ side: KroneckerSide, _ bands: inout FactorCache<BandedFactor>,
    _ bases: inout FactorCache<RotatedFactor<Double>>
  ) throws(CurvatureError) -> BandedKroneckerMetric? {
    let scale = try options.tokensPerSample.value(of: module)
    let key = try statistics.requiredKey(.activationCovariance, of: module)
    let g = try statistics.factor(.gradient, of: module, under: options, as: Double.self)

    // 1. A as it was left behind, in the form that is wanted; of the other form none is kept.
    if side == .activation {
      _ = bases.take("")
      if let kept = bands.take(key) {
        let facts = CurvatureFacts.kronecker(
          kept.summary, g.summary, damping: options.damping, scale: scale)
        return BandedKroneckerMetric(
          kept, side, try rotated(g, .gradient, module), facts: facts, scale: scale,
          moduleName: module.name)
      }
    } else {
      _ = bands.take("")
      if let kept = bases.take(key) {
        let facts = CurvatureFacts.kronecker(
          kept.summary, g.summary, damping: options.damping, scale: scale)
        guard let band = try reduced(g, .gradient, module) else { return nil }
        return BandedKroneckerMetric(
          band, side, kept, facts: facts, scale: scale, moduleName: module.name)
      }
    }

    // 2. Or read.
    let a = try statistics.factor(.activation, of: module, under: options, as: Double.self)
    let facts = CurvatureFacts.kronecker(
      a.summary, g.summary, damping: options.damping, scale: scale)
    guard !facts.isFlat else { return nil }
    if side == .activation {
      guard let band = try reduced(a, side, module) else { return nil }
      return BandedKroneckerMetric(
        band, side, try rotated(g, .gradient, module), facts: facts, scale: scale,
        moduleName: module.name)
    }
    let basis = try rotated(a, .activation, module)
    guard let band = try reduced(g, side, module) else { return nil }
    return BandedKroneckerMetric(
      band, side, basis, facts: facts, scale: scale, moduleName: module.name)
  }

  private func reduced(
    _ factor: consuming KroneckerFactor<Double>, _ side: KroneckerSide, _ module: ModuleStatistics
  ) throws(CurvatureError) -> BandedFactor? {
    do { return try BandedFactor(factor) } catch { throw undecomposable(side, module, error) }
  }
}
