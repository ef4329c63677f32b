internal import Glibc

/// A file that appears under its name only when it is complete and on the disk.
///
/// Bytes go to a hidden temporary file in the same folder; ``commit()`` syncs, renames it over
/// `path` and syncs the folder. Without `commit` the temporary file is removed. A process that is
/// killed leaves it behind, and never a half-written file under the real name.
struct OutputFile: ~Copyable {
  private let path: String
  private let folder: String
  private let temporaryPath: String
  private var descriptor: Int32
  private var isCommitted = false

  init(path: String) throws(TensorFileError) {
    guard !path.utf8.contains(0) else {
      throw TensorFileError(
        .writeFailure, path: path, "the path contains a null character, no file's can",
        advice: "check the path")
    }
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let folder = slash.map { String(path[...$0]) } ?? "."
    let tag = String(UInt64.random(in: 0 ... .max), radix: 36)
    let temporaryPath = TensorCollection.join(folder, ".writing-\(getpid())-\(tag)")
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
    let descriptor = unsafe open(temporaryPath, flags, 0o666)
    guard descriptor >= 0 else {
      throw Self.failure("creating a temporary file beside it", path: path)
    }
    self.path = path
    self.folder = folder
    self.temporaryPath = temporaryPath
    self.descriptor = descriptor
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if !isCommitted { unsafe unlink(temporaryPath) }
  }

  /// Appends all of `bytes`.
  mutating func append(_ bytes: [UInt8]) throws(TensorFileError) {
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe write(descriptor, buffer.baseAddress! + done, buffer.count - done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failure("write") }
      done += count
    }
  }

  /// Puts the file in place. Nothing may be appended after.
  mutating func commit() throws(TensorFileError) {
    guard fsync(descriptor) == 0 else { throw failure("fsync") }
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 else { throw failure("close") }
    guard unsafe rename(temporaryPath, path) == 0 else { throw failure("rename") }
    isCommitted = true
    try syncFolder()
  }

  /// Makes the new name durable. Disks that cannot sync a folder say EINVAL: nothing more to do.
  private func syncFolder() throws(TensorFileError) {
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("opening the folder to sync it") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw failure("fsync of the folder")
    }
  }

  private func failure(_ call: String) -> TensorFileError {
    Self.failure(call, path: path)
  }

  private static func failure(_ call: String, path: String) -> TensorFileError {
    .system(
      .writeFailure, call, errno, path: path,
      advice: "check that the folder exists, is writable and has space")
  }
}
