internal import Glibc

/// A file that grows line by line while work goes on: a journal.
///
/// Lines are synced at most once a second: what a crash of the machine loses is done again. The end
/// of a process loses nothing.
public struct AppendedFile: ~Copyable {
  private let path: String
  private let descriptor: Int32
  private var lastSync = ContinuousClock.now

  public init(path: String) throws(TensorFileError) {
    self.path = path
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw Self.failure("open", path) }
  }

  deinit { close(descriptor) }

  /// Appends one line; a line feed is added.
  public mutating func append(line: [UInt8]) throws(TensorFileError) {
    let bytes = line + [UInt8(ascii: "\n")]
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure("write", path) }
      done += count
    }
    guard ContinuousClock.now - lastSync > .seconds(1) else { return }
    guard fdatasync(descriptor) == 0 else { throw Self.failure("fdatasync", path) }
    lastSync = .now
  }

  private static func failure(_ call: String, _ path: String) -> TensorFileError {
    .system(
      .writeFailure, call, errno, path: path,
      advice: "check that the folder is writable and has space, then run the same command again")
  }
}
