/// Why a tensor file cannot be used, in one sentence: file, key, value, limit, and what to try.
///
/// Names that come from a file are escaped and cut before they are stored, so that an error can be
/// printed on a terminal whatever the file contains.
public struct TensorFileError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What a caller can tell apart; a command maps each to an exit code.
  public enum Kind: Sendable, Equatable, CaseIterable {
    /// A file or folder is not there, or a folder holds no safetensors file (exit 66).
    case missingInput
    /// The file breaks the format, or files of one folder contradict each other (exit 65).
    case badData
    /// No tensor of that name is in the collection (exit 65).
    case noSuchTensor
    /// The tensor exists with a type that cannot be decoded as asked (exit 65).
    case wrongElementType
    /// An element is nan, inf or -inf (exit 65).
    case nonFinite
    /// A finite F64 element does not fit in a `Float`; `Double` would hold it (exit 65).
    case beyondSinglePrecision
    /// The system refused to open, map or read what is there, or it shrank meanwhile (exit 74).
    case readFailure
    /// The system refused to create, write, sync or rename (exit 73).
    case writeFailure
  }

  public let kind: Kind
  /// Path of the file or folder, printable; the tail of it when very long.
  public let file: String
  /// The tensor, metadata or index key concerned, printable; `nil` when the whole file is.
  public let key: String?
  /// What is wrong, with the value found and the limit it breaks.
  public let problem: String
  /// What to try.
  public let advice: String

  public var description: String {
    let place = key.map { "\(file): \"\($0)\"" } ?? file
    return "\(place): \(problem); \(advice)"
  }

  /// - Parameters:
  ///   - path: as opened; shortened here.
  ///   - key: raw, as found in the file; escaped and shortened here.
  ///   - problem: already printable: quote foreign text with ``printable(_:)`` before.
  init(_ kind: Kind, path: String, key: String? = nil, _ problem: String, advice: String) {
    self.kind = kind
    self.file = printablePath(path)
    self.key = key.map { printable($0) }
    self.problem = problem
    self.advice = advice
  }
}

extension TensorFileError {
  /// A failed system call, named with errno's text.
  static func system(
    _ kind: Kind, _ call: String, _ code: Int32, path: String, advice: String
  ) -> Self {
    Self(
      kind, path: path, "\(call) failed: \(systemErrorText(code)) (errno \(code))", advice: advice)
  }
}
