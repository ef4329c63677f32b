/// Why a program has no answer. Raised alike on every rank, before any price is searched.
public enum AllocationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A parameter or a unit's value lies outside its range.
  case invalid(what: String, value: String, limit: String, advice: String)
  /// No plan within the bounds meets the budget.
  case infeasible(what: String, value: String, nearest: String, advice: String)
  /// Every gain is zero, so nothing tells one unit from another.
  case nothingToGain(units: Int)

  public var description: String {
    switch self {
    case .invalid(let what, let value, let limit, let advice):
      return "\(what) is \(value), but must be \(limit); \(advice)"
    case .infeasible(let what, let value, let nearest, let advice):
      return "\(what) \(value) cannot be met: \(nearest); \(advice)"
    case .nothingToGain(let units):
      return "all \(units) gains are zero, so no unit is worth more than another; check that the "
        + "statistics hold gradients of a loss (cross-fitted gains are zero where there is only "
        + "sampling noise: use more samples), or use --normalize none"
    }
  }
}
