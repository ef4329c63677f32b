internal import TensorFiles

/// By what the executables of two ranks are known to be the same one.
///
/// Size and a hash of 256 pieces spread over the file: reading all of it on every rank, often from a
/// network disk, would take longer than many runs. Another compiler or option moves the code, and shows;
/// a changed constant that moves nothing may not.
enum BuildIdentity {
  private static let pieces = 256
  private static let pieceBytes = 1024

  /// Of this process's executable, 16 hexadecimal digits; `unknown` where the system does not show it.
  static var own: String { of("/proc/self/exe") ?? "unknown" }

  static func of(_ path: String) -> String? {
    (try? FileHash.sample(path, pieces: pieces, pieceBytes: pieceBytes))?.hexadecimal
  }
}
