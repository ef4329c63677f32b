internal import Glibc

/// A regular file opened to be read by any number of threads, at positions.
///
/// Bytes are read (`pread`) into memory of the caller or into a piece that is used again, and not mapped:
/// a copy into a piece that stays in a core's second-level cache takes less time than the page faults of
/// a mapping (docs/performance.md), pages of a file never count as memory of this process, and a file
/// that is cut while it is read is an error where touching a mapping would end the process.
///
/// Do not write into files that a run reads; replace them by rename, which leaves the opened one intact.
@safe final class StoredFile: Sendable {
  let path: String
  let byteCount: Int
  private let descriptor: Int32

  /// Bytes of a piece: it stays in a core's second-level cache while several things are done to it.
  static let pieceBytes = 1 << 18

  /// Opens the file. It stays open, at one descriptor each, until the last use ends.
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
    do throws(TensorFileError) {
      byteCount = try Self.size(descriptor, path: path)
    } catch {
      close(descriptor)
      throw error
    }
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

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

  private static func size(_ descriptor: Int32, path: String) throws(TensorFileError) -> Int {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      throw .system(.readFailure, "fstat", errno, path: path, advice: "check the disk")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw TensorFileError(
        .badData, path: path, "this is a folder, pipe, device or socket, not a regular file",
        advice: "copy the data to a file")
    }
    return Int(status.st_size)
  }

  /// Fills `destination` with the bytes from `offset` on.
  ///
  /// - Precondition: `0 <= offset` and `offset + destination.count <= byteCount`.
  /// - Throws: `.readFailure` when the file is shorter than at opening or the disk fails.
  func read(
    at offset: Int, into destination: UnsafeMutableRawBufferPointer
  ) throws(TensorFileError) {
    precondition(offset >= 0 && offset <= byteCount - destination.count)
    var done = 0
    while done < destination.count {
      let count = unsafe pread(
        descriptor, destination.baseAddress! + done,
        min(destination.count - done, Self.longestRead), offset + done)
      if count < 0 && errno == EINTR { continue }
      if count < 0 {
        throw .system(
          .readFailure, "read", errno, path: path, advice: "check the disk, then start again")
      }
      guard count > 0 else {
        throw TensorFileError(
          .readFailure, path: path,
          "the file had \(byteCount) bytes when it was opened and has "
            + "\(try Self.size(descriptor, path: path)) now",
          advice: "let nothing write to it during a run, restore it and start again")
      }
      done += count
    }
  }

  /// Calls `body` with pieces of the bytes from `offset` on, in order; `first` counts from `offset`.
  ///
  /// A piece holds a whole number of `stride` bytes and ends, where that allows it, at a multiple of its
  /// length in the file: whole pages are then read. Memory: one piece, whatever `count` is.
  /// - Precondition: `0 <= offset`, `0 <= count` and `offset + count <= byteCount`.
  /// - Throws: what ``read(at:into:)`` throws; whatever `body` throws.
  func forEachPiece(
    at offset: Int, count: Int, stride size: Int = 1,
    _ body: (_ first: Int, _ bytes: RawSpan) throws(TensorFileError) -> Void
  ) throws(TensorFileError) {
    guard count > 0 else { return }
    let longest = max(Self.pieceBytes / size, 1) * size
    let piece = unsafe PieceMemory.shared.take(byteCount: min(longest, count))
    defer { unsafe PieceMemory.shared.giveBack(piece) }
    var first = 0
    while first < count {
      let whole = (longest - (offset + first) % longest) / size * size
      let part = unsafe UnsafeMutableRawBufferPointer(
        rebasing: piece[0..<min(whole > 0 ? whole : longest, count - first)])
      try unsafe read(at: offset + first, into: part)
      try body(first, unsafe UnsafeRawBufferPointer(part).bytes)
      first += part.count
    }
  }

  /// Copies of `count` pieces of `size` bytes each, `step` bytes apart.
  ///
  /// - Precondition: all of them lie within the file.
  /// - Throws: what ``read(at:into:)`` throws.
  func gather(
    at offset: Int, count: Int, of size: Int, step: Int
  ) throws(TensorFileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count * size)
    var failure: TensorFileError?
    unsafe bytes.withUnsafeMutableBytes { buffer in
      do throws(TensorFileError) {
        for index in 0..<count {
          let place = unsafe UnsafeMutableRawBufferPointer(
            rebasing: buffer[index * size..<(index + 1) * size])
          try unsafe read(at: offset + index * step, into: place)
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Lets the system begin to read bytes that will be asked for soon. It may block until the disk has
  /// taken them all, so it belongs on a thread of its own. Never fails: it is an advice.
  func willRead(at offset: Int, count: Int) {
    posix_fadvise(descriptor, offset, count, POSIX_FADV_WILLNEED)
  }

  /// A copy of some bytes, for headers. The caller has checked `count` against ``HeaderLimits``.
  func copyBytes(at offset: Int, count: Int) throws(TensorFileError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var failure: TensorFileError?
    unsafe bytes.withUnsafeMutableBytes { buffer in
      do throws(TensorFileError) { try unsafe read(at: offset, into: buffer) } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Linux reads at most this much at once.
  private static let longestRead = 1 << 30
}
