/// Why a scores, plan or table file cannot be used. One sentence: file, place, value, what to try.
public enum PlanFileError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file is not there.
  case missing(String)
  /// The file is there, but does not hold what it must.
  case invalid(String)
  /// The file cannot be written.
  case unwritable(String)

  public var description: String {
    switch self {
    case .missing(let text), .invalid(let text), .unwritable(let text): text
    }
  }
}
