internal import Synchronization

/// The pieces that files are read into, kept for the next reading: the system clears every fresh page, which for
/// a tensor of a few megabytes takes a tenth of reading it.
///
/// It keeps as many as have been in use at once, but no more than ``most``: a megabyte.
@safe final class PieceMemory: Sendable {
  static let shared = PieceMemory()

  static let most = 4

  /// Reached by nobody but who holds it.
  @safe private struct Piece: @unchecked Sendable {
    let memory: UnsafeMutableRawBufferPointer
  }

  private let kept = Mutex<[Piece]>([])
  /// Critical sections so far: says their order to the thread sanitizer, which does not see a futex handed on.
  private let sections = Atomic<Int>(0)

  private func withKept<Result>(_ body: (inout [Piece]) -> sending Result) -> sending Result {
    kept.withLock { kept in
      _ = sections.load(ordering: .acquiring)
      defer { sections.wrappingAdd(1, ordering: .releasing) }
      return body(&kept)
    }
  }

  /// Memory of this size; its contents are anything.
  func take(byteCount: Int) -> UnsafeMutableRawBufferPointer {
    if byteCount == StoredFile.pieceBytes, let piece = withKept({ $0.popLast() }) {
      return unsafe piece.memory
    }
    return UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
  }

  /// Takes back what ``take(byteCount:)`` gave.
  func giveBack(_ memory: UnsafeMutableRawBufferPointer) {
    let byteCount = memory.count
    let piece = unsafe Piece(memory: memory)
    let isKept = withKept { kept in
      guard byteCount == StoredFile.pieceBytes, kept.count < Self.most else { return false }
      kept.append(piece)
      return true
    }
    if !isKept { unsafe memory.deallocate() }
  }
}
