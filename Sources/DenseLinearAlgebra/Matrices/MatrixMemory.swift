internal import Glibc

/// Memory of matrices: aligned for vectors, in huge pages where it is large, and kept for the next matrix
/// of the same size while someone asks for that (``MatrixReuse``).
///
/// A matrix of order 3072 has thousands of small pages. Each costs a fault at its first touch, more
/// than writing the page does, and a product walks through more of them than a processor remembers.
enum MatrixMemory {
  /// What one huge page holds.
  private static let hugePage = 1 << 21

  /// Uninitialized; freed by ``release(_:byteCount:)``. When memory runs out the process ends.
  static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
    if let kept = unsafe KeptMemory.shared.take(byteCount: byteCount) { return unsafe kept }
    let isLarge = byteCount >= 2 * hugePage
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: isLarge ? hugePage : 64)
    // A wish: a kernel without huge pages refuses it, and nothing is lost.
    if isLarge { _ = unsafe madvise(memory, byteCount, MADV_HUGEPAGE) }
    return unsafe memory
  }

  /// Frees what ``allocate(byteCount:)`` gave for the same count, or keeps it.
  static func release(_ memory: UnsafeMutableRawPointer, byteCount: Int) {
    if unsafe !KeptMemory.shared.keep(memory, byteCount: byteCount) { unsafe memory.deallocate() }
  }
}
