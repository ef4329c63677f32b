/// Cholesky factorization of a whole matrix by loops of our own, for Lᵀ in the upper triangle, and solves with it.
///
/// For OpenBLAS's kernels for AVX2 and AVX-512, where `potrf` loses time in products of small depth, and `trsm` in
/// double precision, for AVX-512 in both. An element of the factor and of a solution from the left is the textbook's
/// sum, by blocks of 96 rows in their order and each product with one rounding (CVectorLoops, panels.c), so that the bits
/// depend on nothing but the matrix; they differ from LAPACK's in the last ones. From the right blocks on the diagonal are
/// inverted, as ``ProductFactorization`` does.
enum PanelFactorization<Element: LinearAlgebraElement> {
  /// Whether it is the faster way. Against `potrf` with the kernels for AVX2, in parts of the rate of products: in
  /// double precision 0.95 against 0.84 at order 1024 and 1.02 against 0.92 at 3072, in single 0.91 against 0.86 and
  /// 1.0 against 0.96; with those for AVX-512 1.0 against 0.63 at 1024, in single 0.93 against 0.54
  /// (docs/performance.md). It runs on one thread: with several, those of the library are faster.
  static func isFaster(order: Int) -> Bool {
    guard BLASThreads.current == 1 else { return false }
    return switch BLASThreads.family {
    case .avx2:
      order >= (Element.self == Double.self ? 256 : 768) && InstructionSet.hasFusedProducts
    case .avx512: order >= 256 && InstructionSet.hasAVX512
    case .other: false
    }
  }

  /// Whether to use vectors of 64 bytes: as OpenBLAS does.
  private static var isWide: Bool { BLASThreads.family == .avx512 }

  /// Whether to solve with a factor that was made this way: with the kernels for AVX2 `trsm` is as fast in single precision.
  private static var solvesFaster: Bool { Element.self == Double.self || isWide }

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

  /// B := L⁻¹ B for B [order, columns] where this is the faster way, else nothing: whether it was. In parts of the rate of
  /// products, `trsm` second: double precision 0.98 and 0.93 at order 1024, 1.0 and 0.99 at 4096 (AVX2), 1.08 at both (AVX-512);
  /// single precision 0.97 at 1024, where products make 0.89 of it (AVX-512).
  ///
  /// - Complexity: order² columns flops, some 96 (order + columns) elements.
  static func solveFromLeft(
    _ factor: UnsafePointer<Element>, order: Int, _ b: UnsafeMutablePointer<Element>, columns: Int
  ) -> Bool {
    guard solvesFaster else { return false }
    let memory = Self.memory(columns: order)
    let rows = Self.memory(columns: columns)
    guard let memory = unsafe memory.storage.baseAddress, let rows = unsafe rows.storage.baseAddress
    else { return true }
    unsafe Element._loops.panelSolves.left(factor, order, b, columns, isWide, memory, rows)
    return true
  }

  /// B := B L⁻ᵀ for B [rows, order] where this is the faster way, else nothing: whether it was. In double precision
  /// 0.97 against 0.90 at order 1024, 0.97 to 0.99 against 0.97 from 3072 on (AVX2), 1.03 and more with AVX-512; in single
  /// precision 0.95 at 1024, where products make 0.93 of it, 0.97 from 2048 on (AVX-512).
  ///
  /// - Complexity: order² rows flops, some 96 order elements.
  static func solveFromRight(
    _ factor: UnsafePointer<Element>, order: Int, _ b: UnsafeMutablePointer<Element>, rows: Int
  ) -> Bool {
    guard solvesFaster else { return false }
    let memory = Self.memory(columns: order)
    guard let base = unsafe memory.storage.baseAddress else { return true }
    unsafe Element._loops.panelSolves.right(factor, order, b, rows, isWide, base)
    return true
  }

  private static func memory(columns: Int) -> Matrix<Element> {
    Matrix(overwritten: 1, by: Element._loops.panelElements(columns))
  }
}
