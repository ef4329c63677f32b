/// Why a program has no answer. Raised alike on every rank, before any price is searched.
public enum AllocationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A parameter or, where `unit` tells its position in the plan, a unit's value lies outside its range.
  case invalid(what: String, unit: Int? = nil, value: String, limit: String, advice: String)
  /// No plan within the bounds meets the budget.
  case infeasible(what: String, value: String, nearest: String, advice: String)
  /// Every gain is zero, so nothing tells one unit from another.
  case nothingToGain(units: Int)

  /// Position in the plan of the unit that the error is about; nil if it is about none.
  public var unit: Int? {
    guard case .invalid(_, let unit, _, _, _) = self else { return nil }
    return unit
  }

  public var description: String { description(calling: unit.map { "number \($0 + 1)" }) }

  /// The error in words, for who knows what to call the unit that it is about: programs count units,
  /// users name them.
  public func description(calling unit: String?) -> String {
    switch self {
    case .invalid(let what, _, let value, let limit, let advice):
      let owner = unit.map { " of unit \($0)" } ?? ""
      return "\(what)\(owner) is \(value), but must be \(limit); \(advice)"
    case .infeasible(let what, let value, let nearest, let advice):
      return "\(what) \(value) cannot be met: \(nearest); \(advice)"
    case .nothingToGain(let units):
      return "all \(units) gains are zero, so no unit is worth more than another; check that the "
        + "statistics hold gradients of a loss (cross-fitted gains are zero where there is only "
        + "sampling noise: use more samples), or use --normalize none"
    }
  }
}
