internal import FoundationEssentials
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
    guard let file = try? Data(contentsOf: URL(filePath: path), options: .mappedIfSafe) else {
      return nil
    }
    var sample = Array("\(file.count) ".utf8)
    for piece in 0..<pieces {
      let start = file.count / pieces * piece
      sample += file[start..<min(start + pieceBytes, file.count)]
    }
    return XXHash64.hash(sample).hexadecimal
  }
}
