/// Cholesky factorization of a whole matrix by loops of our own, for Lᵀ in the upper triangle, and solves with it.
///
/// For OpenBLAS's kernels for AVX2 and AVX-512, where `potrf` loses time in products of small depth, and `trsm` in
/// double precision. An element of the factor and of a solution from the left is the textbook's sum, by blocks of 96 rows
/// in their order and each product with one rounding (CVectorLoops, panels.c), so that the bits depend on nothing but
/// the matrix; they differ from LAPACK's in the last ones. From the right blocks on the diagonal are inverted, as
/// ``ProductFactorization`` does.
enum PanelFactorization<Element: LinearAlgebraElement> {
  /// Whether it is the faster way. Against `potrf` with the kernels for AVX2, in parts of the rate of products: in
  /// double precision 0.94 against 0.84 at order 1024 and 0.98 against 0.92 at 3072, in single 0.92 against 0.86 and
  /// 0.98 against 0.96; with those for AVX-512 1.0 against 0.63 at 1024, in single 0.8 against 0.54
  /// (docs/performance.md). It runs on one thread: with several, those of the library are faster.
  static func isFaster(order: Int) -> Bool {
    guard BLASThreads.current == 1 else { return false }
    return switch BLASThreads.family {
    case .avx2:
      order >= (Element.self == Double.self ? 256 : 768) && InstructionSet.hasFusedProducts
    case .avx512:
      order >= 256 && (Element.self == Double.self || order <= 1536) && InstructionSet.hasAVX512
    case .other: false
    }
  }

  /// Whether to use vectors of 64 bytes: as OpenBLAS does.
  private static var isWide: Bool { BLASThreads.family == .avx512 }

  /// Replaces the upper triangle of A [order, order] by Lᵀ; the rest stays.
  ///
  /// - Throws: `notPositiveDefinite` at the first pivot that is not above 0.
  /// - Complexity: order³/3 flops, some 96 order elements meanwhile.
  static func factorize(
    _ a: UnsafeMutablePointer<Element>, order: Int
  ) throws(LinearAlgebraError) {
    let memory = Self.memory(columns: order)
    guard let base = unsafe memory.storage.baseAddress else { return }
    let done = unsafe Element._loops.factorizeByPanels(a, order, isWide, base)
    guard done == order else {
      throw .notPositiveDefinite(order: order, leadingMinor: done + 1)
    }
  }

  /// B := L⁻¹ B for B [order, columns] where this is the faster way, else nothing: whether it was. In double
  /// precision 0.98 against 0.945 of the rate of products at order 1024; from 2048 on `trsm` is ahead.
  ///
  /// - Complexity: order² columns flops, some 96 (order + columns) elements.
  static func solveFromLeft(
    _ factor: UnsafePointer<Element>, order: Int, _ b: UnsafeMutablePointer<Element>, columns: Int
  ) -> Bool {
    guard let solves = Element._loops.panelSolves, order <= 1536 else { return false }
    let memory = Self.memory(columns: order)
    let rows = Self.memory(columns: columns)
    guard let memory = unsafe memory.storage.baseAddress, let rows = unsafe rows.storage.baseAddress
    else { return true }
    unsafe solves.left(factor, order, b, columns, isWide, memory, rows)
    return true
  }

  /// B := B L⁻ᵀ for B [rows, order] where this is the faster way, else nothing: whether it was. In double precision
  /// 0.98 against 0.90 at order 1024, 0.98 against 0.945 at 2048 (AVX2), 0.97 against 0.65 at 1024 (AVX-512).
  ///
  /// - Complexity: order² rows flops, some 96 order elements.
  static func solveFromRight(
    _ factor: UnsafePointer<Element>, order: Int, _ b: UnsafeMutablePointer<Element>, rows: Int
  ) -> Bool {
    guard let solves = Element._loops.panelSolves, order <= 1536 || !isWide else { return false }
    let memory = Self.memory(columns: order)
    guard let base = unsafe memory.storage.baseAddress else { return true }
    unsafe solves.right(factor, order, b, rows, isWide, base)
    return true
  }

  private static func memory(columns: Int) -> Matrix<Element> {
    Matrix(overwritten: 1, by: Element._loops.panelElements(columns))
  }
}
