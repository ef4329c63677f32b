internal import Glibc

/// A file of a known size into which several processes write at positions of their own.
///
/// One process creates it at its full length, so that a full disk is noticed before any work; then
/// every process opens it and writes its parts. Parts that do not overlap need no lock. Nothing here
/// renames: the file lies in a folder that gets its name when all parts are there.
public final class PositionedFile: Sendable {
  private let path: String
  private let descriptor: Int32

  /// Makes a file of `byteCount` bytes, with its space reserved where the disk can do that; an older
  /// file of the name is kept if it has this size.
  public static func create(path: String, byteCount: Int) throws(TensorFileError) {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    guard ftruncate(descriptor, byteCount) == 0 else { throw failure("ftruncate", path) }
    guard byteCount > 0 else { return }
    let code = posix_fallocate(descriptor, 0, byteCount)
    // Disks that cannot reserve space say so; a missing byte is then noticed by the write.
    guard code == 0 || code == EOPNOTSUPP || code == EINVAL else {
      throw failure("posix_fallocate of \(byteCount) bytes", path, code)
    }
  }

  /// Opens a file that ``create(path:byteCount:)`` has made.
  public init(path: String) throws(TensorFileError) {
    self.path = path
    descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure("open", path) }
  }

  deinit { close(descriptor) }

  /// Writes all bytes at `offset`.
  public func write(_ bytes: RawSpan, at offset: Int) throws(TensorFileError) {
    var done = 0
    while done < bytes.byteCount {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(
          descriptor, buffer.baseAddress! + done, min(buffer.count - done, Self.longestWrite),
          offset + done)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Self.failure("write", path) }
      done += count
    }
  }

  /// Writes all words, little endian, at byte `offset`.
  public func write<Word: StoredWord>(_ words: Span<Word>, at offset: Int) throws(TensorFileError) {
    // Every platform this builds for is little endian; `Word(littleEndian:)` elsewhere says so too.
    try write(unsafe words.bytes, at: offset)
  }

  /// Lets the disk begin to store bytes that were written, so that ``sync()`` has less to wait for.
  public func beginSync(at offset: Int, byteCount: Int) {
    // The advice makes Linux start writing dirty pages and drop clean ones, of which there are none.
    posix_fadvise(descriptor, offset, byteCount, POSIX_FADV_DONTNEED)
  }

  /// Returns when the bytes are on the disk.
  public func sync() throws(TensorFileError) {
    guard fsync(descriptor) == 0 else { throw Self.failure("fsync", path) }
  }

  /// Linux writes at most this much at once.
  private static let longestWrite = 1 << 30

  private static func failure(
    _ call: String, _ path: String, _ code: Int32 = errno
  ) -> TensorFileError {
    .system(
      .writeFailure, call, code, path: path,
      advice: "check that the folder is writable and has space, then run the same command again")
  }
}
