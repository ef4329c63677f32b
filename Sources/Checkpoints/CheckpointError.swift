public import TensorFiles

/// Why a checkpoint does not serve: a file, or the modules looked for in it.
public enum CheckpointError: Error, Sendable, Equatable, CustomStringConvertible {
  case file(TensorFileError)
  /// Modules and tensors do not belong together; one sentence with names and what to try.
  case mismatch(String)

  public var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .mismatch(let text): text
    }
  }
}
