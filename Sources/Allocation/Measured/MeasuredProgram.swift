internal import Collectives

/// The pruning program with measured cost curves instead of a formula.
///
///     min Σ f_k cost_k(z_k)   subject to   Σ z_k = S,  lo_k ≤ z_k ≤ hi_k
///
/// cost_k(z) is the sum of the z smallest s = ½ w² h among the unit's weights, convex by
/// construction, and f = q^κ. So the optimum is one threshold t on f s over all units,
/// z_k = clip(#{f s ≤ t}, lo_k, hi_k) (docs/theory/programs.md).
///
/// The weights pass by twice, never sorted and never all in memory: `crossing` reads the bin of t
/// from the histograms of the first pass, `solve` reads t from those of the second. Each takes one
/// allreduce for it.
public struct MeasuredProgram: Sendable, Equatable {
  /// Share of all weights to remove, 0 ... 1.
  public var sparsity: Double
  /// κ; 0 leaves the costs as they were measured.
  public var kappa = 0.0
  public var b = 16.0

  public init(sparsity: Double) {
    self.sparsity = sparsity
  }

  /// f = q^κ; exactly 1 for κ = 0.
  public func factor(ofQuality quality: Double) -> Double { power(quality, kappa) }

  /// The closed-form program that shares its bounds and checks; its η q^κ w is f.
  var constraints: PruningProgram {
    var program = PruningProgram(sparsity: sparsity)
    program.eta = 1
    program.kappa = kappa
    program.b = b
    return program
  }
}

extension PriceSearch {
  /// The first place at which whole-number increments, added up over all ranks and places, reach
  /// `wanted` from `base`; nil where `base`, added up over the ranks, does already.
  ///
  /// Collective, one allreduce. - Precondition: the increments reach it.
  mutating func firstPlace(
    of increments: [Int128], from base: Int128, reaching wanted: Int128,
    over world: borrowing some Collective & ~Copyable
  ) -> (place: Int, before: Int128)? {
    let sums = sum([base] + increments, over: world)
    var reached = sums[0]
    guard reached < wanted else { return nil }
    for place in increments.indices {
      let before = reached
      reached += sums[place + 1]
      if reached >= wanted { return (place, before) }
    }
    preconditionFailure("feasible counts reach \(wanted), these only \(reached)")
  }
}
