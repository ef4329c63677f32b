/// Why a plan cannot be written in a format. One sentence: unit or module, value, what to try.
public struct ExportError: Error, Sendable, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) {
    self.description = description
  }
}
