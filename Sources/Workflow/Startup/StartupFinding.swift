/// What a check of the machine or of the job found.
public struct StartupFinding: Codable, Sendable, Equatable {
  public enum Severity: String, Codable, Sendable {
    /// As it should be; only `doctor` says so.
    case good
    /// Works, but slower or less safely than it could.
    case note
    /// The run would be wrong, or could not be trusted.
    case error
  }

  public let severity: Severity
  /// What is the case, where, and what to change.
  public let text: String

  static func good(_ text: String) -> StartupFinding { .init(severity: .good, text: text) }
  static func note(_ text: String) -> StartupFinding { .init(severity: .note, text: text) }
  static func error(_ text: String) -> StartupFinding { .init(severity: .error, text: text) }
}
