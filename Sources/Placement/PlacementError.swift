/// Why there is no placement. One sentence or two: thing, value, limit, what to try.
public enum PlacementError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A value outside its range.
  case invalid(String)
  /// The slots do not fit the memory.
  case infeasible(String)

  public var description: String {
    switch self {
    case .invalid(let text), .infeasible(let text): text
    }
  }
}
