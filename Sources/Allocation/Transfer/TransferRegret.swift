internal import Collectives

/// What a plan made for source qualities costs on target qualities, and bounds on it.
///
///     0 ≤ regret ≤ gap ≤ certificate ≤ unbounded certificate ≤ bound
///
/// The chain holds whatever bounds are active and whichever qualities are zero; the derivation is in
/// docs/theory/transfer.md.
public struct TransferRegret: Sendable, Equatable {
  /// δ = ‖q^T − q^S‖₂.
  public let delta: Double
  /// F_T(x^S) − F_T(x^T).
  public let regret: Double
  /// The duality gap that the source's plan and price have on the target.
  public let gap: Double
  /// Σ max_Δ (slope Δ − m Δ²/2), Δ within what bounds and budget leave to each unit.
  public let certificate: Double
  /// Σ d² / (2 m).
  public let unboundedCertificate: Double
  /// L² δ² / (2 μ_F), with the linear units' |d| · range added.
  public let bound: Double
  /// L = max |d| / |q^T − q^S|: how fast the gradient at x^S moves with the qualities.
  public let lipschitz: Double
  /// μ_F: the smallest modulus of a unit that is not linear; 0 without one.
  public let modulus: Double
  /// Largest f_T″ over the range, divided by μ_F; infinite without a modulus.
  public let conditionNumber: Double
  /// Units of zero target quality, whose part of F_T is linear.
  public let linearUnits: Int
  /// This rank's units, in their order.
  public let terms: [TransferTerm]

  /// Sums the terms of all ranks. Collective; three allreduces.
  ///
  /// - Parameter spentDifference: λ_T · (what x^T spends − what x^S spends); rounding where both spend
  ///   the whole budget.
  /// - Parameter sourceSlack: the same at the price λ_S, which the source's optimality does not cover.
  init(
    _ terms: [TransferTerm], spentDifference: Double, sourceSlack: Double, totalUnits: Int,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) {
    let curved = terms.filter { $0.modulus > 0 }
    let sums = search.exactSums(
      [
        terms.map(\.regret), terms.map(\.certificate), terms.map(\.unboundedCertificate),
        terms.map { $0.drift * $0.drift }, curved.map { $0.drift * $0.drift },
        terms.filter { $0.modulus == 0 }.map(\.unboundedCertificate),
        terms.map { $0.modulus == 0 ? 1 : 0 }, terms.map(\.gap),
      ], totalTerms: totalUnits, over: world)
    let extremes = search.maximum(
      [
        terms.map { $0.drift == 0 ? 0 : abs($0.slopeChange / $0.drift) }.max() ?? 0,
        -(curved.map(\.modulus).min() ?? .greatestFiniteMagnitude),
        terms.map(\.smoothness).max() ?? 0,
      ], over: world)
    let smallest = -extremes[1]
    let sourceSlack = max(sourceSlack, 0)
    self.terms = terms
    delta = sums[3].squareRoot()
    regret = max(sums[0] + spentDifference, 0)
    gap = sums[7] + sourceSlack
    certificate = sums[1] + sourceSlack
    unboundedCertificate = sums[2] + sourceSlack
    lipschitz = extremes[0]
    linearUnits = Int(sums[6])
    if smallest == .greatestFiniteMagnitude {
      modulus = 0
      conditionNumber = .infinity
      bound = sums[5] + sourceSlack
    } else {
      modulus = smallest
      conditionNumber = extremes[2] / smallest
      bound = lipschitz * lipschitz * sums[4] / (2 * smallest) + sums[5] + sourceSlack
    }
  }
}
