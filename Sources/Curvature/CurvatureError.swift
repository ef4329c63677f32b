public import TensorFiles

/// Why a module's gain cannot be computed. One sentence: module, file, value, limit, what to try.
public enum CurvatureError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file itself cannot be read.
  case file(TensorFileError)
  /// The statistics do not say what is needed, or say it twice.
  case statistics(String)
  /// A value that no curvature can have.
  case value(String)

  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .statistics(let text), .value(let text): text
    }
  }
}
