internal import Glibc

/// A regular file mapped into memory to be read: the only place in this room that reads through a raw
/// pointer; all others get a bounds-checked `RawSpan`.
///
/// The size is compared with the one at opening before every access, because touching a page beyond
/// the end of a file that shrank is a SIGBUS, which no program survives. A race remains: a file
/// that is cut while it is being read, or a disk that fails under the mapping, still ends the
/// process.
/// Do not write into files that a run reads; replace them by rename, which leaves a mapping intact.
@safe final class MappedFile: Sendable {
  let path: String
  let byteCount: Int
  private let descriptor: Int32
  /// The first byte; `nil` for an empty file. Never written through, never changed after `init`,
  /// which is why sharing it between threads is sound.
  private nonisolated(unsafe) let base: UnsafeRawPointer?

  /// Opens and maps the file. It stays open, at one descriptor each, until the last use ends.
  ///
  /// - Throws: `.missingInput` when nothing is there, `.badData` for a device, pipe or socket,
  ///   `.readFailure` when the system refuses.
  init(path: String) throws(TensorFileError) {
    guard !path.utf8.contains(0) else {
      throw TensorFileError(
        .missingInput, path: path, "the path contains a null character, no file's can",
        advice: "check the path")
    }
    // O_NONBLOCK: opening a pipe must not wait for somebody to write into it.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 { throw Self.openFailure(errno, path: path) }
    let mapping: (UnsafeRawPointer?, Int)
    do throws(TensorFileError) {
      unsafe mapping = try Self.map(descriptor, path: path)
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
    unsafe (self.base, self.byteCount) = unsafe mapping
  }

  deinit {
    if let base = unsafe base {
      unsafe munmap(UnsafeMutableRawPointer(mutating: base), byteCount)
    }
    close(descriptor)
  }

  private static func openFailure(_ code: Int32, path: String) -> TensorFileError {
    switch code {
    case ENOENT, ENOTDIR:
      .system(.missingInput, "open", code, path: path, advice: "check the path")
    case EMFILE:
      .system(.readFailure, "open", code, path: path, advice: "raise the limit with ulimit -n")
    default:
      .system(.readFailure, "open", code, path: path, advice: "check permissions and the disk")
    }
  }

  private static func map(
    _ descriptor: Int32, path: String
  ) throws(TensorFileError) -> (UnsafeRawPointer?, Int) {
    let status = try status(descriptor, path: path)
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw TensorFileError(
        .badData, path: path, "this is a folder, pipe, device or socket, not a regular file",
        advice: "copy the data to a file")
    }
    let size = Int(status.st_size)
    guard size > 0 else { return (nil, 0) }
    let address = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      throw .system(
        .readFailure, "mmap of \(size) bytes", errno, path: path,
        advice: "check limits on address space (ulimit -v) and the kind of disk")
    }
    return (UnsafeRawPointer(address), size)
  }

  private static func status(_ descriptor: Int32, path: String) throws(TensorFileError) -> stat {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .system(.readFailure, "fstat", errno, path: path, advice: "check the disk")
    }
    return status
  }

  /// Calls `body` with the bytes from `offset` on; nothing is copied.
  ///
  /// - Precondition: `0 <= offset`, `0 <= count` and `offset + count <= byteCount`.
  /// - Throws: `.readFailure` when the file is shorter than at opening; whatever `body` throws.
  func withBytes<Result>(
    at offset: Int, count: Int, _ body: (RawSpan) throws(TensorFileError) -> Result
  ) throws(TensorFileError) -> Result {
    precondition(offset >= 0 && count >= 0 && offset <= byteCount - count)
    let size = Int(try Self.status(descriptor, path: path).st_size)
    guard size >= byteCount else {
      throw TensorFileError(
        .readFailure, path: path,
        "the file had \(byteCount) bytes when it was opened and has \(size) now",
        advice: "let nothing write to it during a run, restore it and start again")
    }
    let buffer = unsafe UnsafeRawBufferPointer(
      start: base.map { unsafe $0 + offset }, count: base == nil ? 0 : count)
    return try body(unsafe buffer.bytes)
  }

  /// Lets go of the pages that lie wholly within a range, which will not be read again soon: they stay
  /// in the page cache and count no longer as memory of this process.
  func release(at offset: Int, count: Int) {
    guard let base = unsafe base else { return }
    let page = Int(getpagesize())
    let first = (offset + page - 1) / page * page
    let last = (offset + count) / page * page
    guard first < last else { return }
    unsafe madvise(UnsafeMutableRawPointer(mutating: base) + first, last - first, MADV_DONTNEED)
  }

  /// A copy of some bytes, for headers. The caller has checked `count` against ``HeaderLimits``.
  func copyBytes(at offset: Int, count: Int) throws(TensorFileError) -> [UInt8] {
    try withBytes(at: offset, count: count) { (bytes: RawSpan) throws(TensorFileError) in
      unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }
  }
}
