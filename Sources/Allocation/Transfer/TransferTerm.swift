/// One unit's part of the regret of a plan that was made for other qualities.
///
/// S marks the source, for which the plan x^S was made, T the target, on which it is judged;
/// f is the unit's part of the objective, without the price of the budget (docs/theory/transfer.md).
public struct TransferTerm: Sendable, Equatable {
  /// x^S and x^T: what the unit gets.
  public let source: Double
  public let target: Double
  /// q^T − q^S.
  public let drift: Double
  /// f_T(x^S) − f_T(x^T) + λ_T c (x^S − x^T): not negative but for rounding. The sum over units is the
  /// regret, but for what the two plans spend differently.
  public let regret: Double
  /// f_T(x^S) + λ_S c x^S less the smallest value that this takes over the unit's range: what the unit
  /// adds to the duality gap of the source's plan and price on the target.
  public let gap: Double
  /// d = f_T′(x^S) − f_S′(x^S).
  public let slopeChange: Double
  /// f_T′(x^S) + λ_S c: the target's slope beside the source's price. Equals d where no bound holds x^S.
  let slope: Double
  /// m: f_T is m-strongly convex over the range that the budget leaves to the unit; 0 for a unit of
  /// zero target quality, whose f_T is linear.
  public let modulus: Double
  /// The largest f_T″ over that range.
  let smoothness: Double
  /// How far below and above x^S a plan within bounds and budget may go, both ≥ 0.
  let room: (below: Double, above: Double)

  public static func == (left: Self, right: Self) -> Bool {
    left.source == right.source && left.target == right.target && left.drift == right.drift
      && left.regret == right.regret && left.gap == right.gap
      && left.slopeChange == right.slopeChange
      && left.slope == right.slope && left.modulus == right.modulus
  }

  /// max of slope · Δ − m Δ² / 2 over the Δ = x^S − x that the range allows: at most this much of the
  /// regret comes from the unit. Not negative, since Δ = 0 is allowed.
  public var certificate: Double {
    let free = modulus > 0 ? slope / modulus : slope == 0 ? 0 : slope * .infinity
    let step = min(max(free, -room.above), room.below)
    return max(slope * step - modulus * step * step / 2, 0)
  }

  /// d² / (2 m), what the certificate is without the bounds; for a linear unit |d| times its range.
  public var unboundedCertificate: Double {
    let d = abs(slopeChange)
    if modulus > 0 { return d * d / (2 * modulus) }
    return d > 0 ? d * (room.below + room.above) : 0
  }
}

/// t − log(1 + t) without the cancellation for small t: t²/2 − t³/3 + …, not negative.
func logarithmGap(_ t: Double) -> Double {
  guard abs(t) < 0x1p-6 else { return t - logOnePlus(t) }
  // Nine terms: the tenth is below 2^-54 of the first.
  var sum = 0.0
  for degree in stride(from: 11, through: 2, by: -1) { sum = sum * -t + 1 / Double(degree) }
  return sum * t * t
}

/// t − ((1 + t)^θ − 1)/θ without the cancellation for small t: (1−θ) t²/2 − (1−θ)(2−θ) t³/6 + …, not
/// negative for θ < 1; `logarithmGap` at θ = 0.
func powerGap(_ t: Double, _ theta: Double) -> Double {
  guard abs(t) < 0x1p-6 else { return t - expMinusOne(theta * logOnePlus(t)) / theta }
  // (1−θ)/2 t² (1 − (2−θ)/3 t (1 − (3−θ)/4 t (…))): ten terms, as for the logarithm.
  var sum = 1.0
  for degree in stride(from: 11.0, through: 3, by: -1) {
    sum = 1 - (degree - 1 - theta) / degree * t * sum
  }
  return (1 - theta) / 2 * t * t * sum
}
