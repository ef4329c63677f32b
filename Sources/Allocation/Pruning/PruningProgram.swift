/// One unit's part of the pruning program.
public struct PruningUnit: Sendable, Equatable {
  /// Position in the plan, 0 ..< total units.
  public let index: Int
  /// q, dimensionless, non-negative.
  public let quality: Double
  /// n, the number of weights; positive.
  public let weights: Int
  /// Smallest and largest share of the weights that may be pruned.
  public let lower: Double
  public let upper: Double

  public init(index: Int, quality: Double, weights: Int, lower: Double, upper: Double) {
    self.index = index
    self.quality = quality
    self.weights = weights
    self.lower = lower
    self.upper = upper
  }

  /// The same unit with another quality.
  public func with(quality: Double) -> PruningUnit {
    PruningUnit(index: index, quality: quality, weights: weights, lower: lower, upper: upper)
  }
}

/// The pruning program: which share ρ of each unit's weights to remove.
///
///     min Σ −b n ρ + η q^κ w ψ(ρ)   subject to   Σ n ρ = S,  lo ≤ ρ ≤ hi
///
/// With μ = b − λ its solution is, for ψ = ρ²,  ρ(μ) = clip(μ n / (2 η q^κ w), lo, hi),  and for
/// ψ = −log(1−ρ),  ρ(μ) = clip(1 − η q^κ w / (μ n), lo, hi)  (docs/theory/programs.md; arXiv
/// 2603.00910). μ is searched, not λ: λ = b − μ would lose the digits of a small μ.
public struct PruningProgram: Sendable, Equatable {
  public enum Psi: String, CaseIterable, Sendable {
    case quadratic
    case log
  }
  public enum Damage: String, CaseIterable, Sendable {
    /// w = 1: the paper's form.
    case perUnit = "per-unit"
    /// w = n.
    case perWeight = "per-weight"
  }

  /// Share of all weights to remove, 0 ... 1.
  public var sparsity: Double
  public var b = 16.0
  public var eta = 2.0
  public var kappa = 1.0
  public var psi = Psi.quadratic
  public var damage = Damage.perUnit
  /// τ: added to μ as τ d with the depth d running evenly from +½ (first unit) to −½ (last).
  public var depthPrior = 0.0

  public init(sparsity: Double) {
    self.sparsity = sparsity
  }

  func validate() throws(AllocationError) {
    func require(
      _ good: Bool, _ what: String, _ value: Double, _ limit: String
    ) throws(AllocationError) {
      guard !good else { return }
      throw .invalid(
        what: what, value: "\(value)", limit: limit, advice: "see layerbudget prune --help")
    }
    try require((0...1).contains(sparsity), "the sparsity", sparsity, "between 0 and 1")
    try require(abs(b) <= 0x1p400, "b", b, "within ±2^400")
    try require(eta > 0 && eta <= 0x1p400, "eta", eta, "positive, at most 2^400")
    try require(kappa >= 0 && kappa.isFinite, "kappa", kappa, "zero or positive")
    try require(
      abs(depthPrior) <= 0x1p400, "the depth prior", depthPrior, "within ±2^400")
  }
}

/// The numbers of one unit that the closed form needs.
struct PricedPruning: Sendable {
  let index: Int
  let weights: Double
  /// η q^κ w.
  let resistance: Double
  /// τ d.
  let prior: Double
  let lower: Double
  let upper: Double

  init(_ unit: PruningUnit, program: PruningProgram, totalUnits: Int) {
    index = unit.index
    weights = Double(unit.weights)
    let scale = program.damage == .perWeight ? Double(unit.weights) : 1
    resistance = program.eta * power(unit.quality, program.kappa) * scale
    // The authors' d runs from +½ at the first unit to −½ at the last.
    let depth =
      totalUnits > 1
      ? (Double(totalUnits - 1) / 2 - Double(unit.index)) / Double(totalUnits - 1) : 0
    prior = program.depthPrior == 0 ? 0 : program.depthPrior * depth
    lower = unit.lower
    upper = unit.upper
  }

  /// ρ(μ). A unit of zero resistance is pruned to its upper bound once μ + τ d ≥ 0.
  ///
  /// Postcondition: does not fall when `mu` rises, bit for bit.
  func share(at mu: Double, psi: PruningProgram.Psi) -> Double {
    let drive = mu + prior
    guard resistance > 0 else { return drive >= 0 ? upper : lower }
    let pull = drive * weights
    switch psi {
    case .quadratic:
      return min(max(pull / (2 * resistance), lower), upper)
    case .log:
      return pull > 0 ? min(max(1 - resistance / pull, lower), upper) : lower
    }
  }
}
