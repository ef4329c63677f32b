internal import Glibc

/// A file that grows while work goes on: a journal.
///
/// It must be new, so that nothing is ever appended to what a killed process left half-written. Every
/// append is on the disk when it returns.
public struct AppendedFile: ~Copyable {
  private let path: String
  private let descriptor: Int32

  /// Makes the file; one that is there already is an error. Its name is durable when the folder is synced.
  public init(creating path: String) throws(TensorFileError) {
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC
    self.path = path
    descriptor = unsafe open(path, flags, 0o666)
    guard descriptor >= 0 else {
      guard errno == EEXIST else { throw Self.failure("open", path) }
      throw .system(
        .writeFailure, "open", EEXIST, path: path,
        advice:
          "another run with the same output seems to be at work; wait for it or give another -o")
    }
  }

  deinit { close(descriptor) }

  /// Appends all of `bytes` and returns when they are on the disk.
  public mutating func append(_ bytes: [UInt8]) throws(TensorFileError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure("write", path) }
      done += count
    }
    guard fdatasync(descriptor) == 0 else { throw Self.failure("fdatasync", path) }
  }

  private static func failure(_ call: String, _ path: String) -> TensorFileError {
    .system(
      .writeFailure, call, errno, path: path,
      advice: "check that the folder is writable and has space, then run the same command again")
  }
}
