internal import Glibc

/// Memory of matrices: aligned for vectors, and in huge pages where it is large.
///
/// A matrix of order 3072 has thousands of small pages. Each costs a fault at its first touch, more
/// than writing the page does, and a product walks through more of them than a processor remembers.
enum MatrixMemory {
  /// What one huge page holds.
  private static let hugePage = 1 << 21

  /// Uninitialized; freed by `deallocate()`. When memory runs out the process ends.
  static func allocate(byteCount: Int) -> UnsafeMutableRawPointer {
    let isLarge = byteCount >= 2 * hugePage
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: isLarge ? hugePage : 64)
    // A wish: a kernel without huge pages refuses it, and nothing is lost.
    if isLarge { _ = unsafe madvise(memory, byteCount, MADV_HUGEPAGE) }
    return unsafe memory
  }
}
