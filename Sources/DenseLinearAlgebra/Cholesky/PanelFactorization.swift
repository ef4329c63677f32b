/// Cholesky factorization of a whole matrix by loops of our own, for Lᵀ in the upper triangle.
///
/// For the kernels for AVX2, where `potrf` loses time in products of small depth. Every element is the textbook's
/// sum, in the order of the rows and each step with one rounding (CVectorLoops, panels.c), so that the bits depend on
/// nothing but the matrix; they differ from LAPACK's in the last ones.
enum PanelFactorization<Element: LinearAlgebraElement> {
  /// Whether it is the faster way. Against `potrf` with the kernels for AVX2, in parts of the rate of products: in
  /// double precision 0.94 against 0.84 at order 1024 and 0.98 against 0.92 at 3072, in single 0.92 against 0.86 and
  /// 0.98 against 0.96 (docs/performance.md).
  static func isFaster(order: Int) -> Bool {
    order >= (Element.self == Double.self ? 256 : 768)
      && ["Haswell", "Zen"].contains(BLASThreads.coreName) && InstructionSet.hasFusedProducts
  }

  /// Replaces the upper triangle of A [order, order] by Lᵀ; the rest stays.
  ///
  /// - Throws: `notPositiveDefinite` at the first pivot that is not above 0.
  /// - Complexity: order³/3 flops, some 96 order elements meanwhile.
  static func factorize(
    _ a: UnsafeMutablePointer<Element>, order: Int
  ) throws(LinearAlgebraError) {
    let memory = Matrix<Element>(overwritten: 1, by: Element._loops.panelElements(order))
    guard let base = unsafe memory.storage.baseAddress else { return }
    let done = unsafe Element._loops.factorizeByPanels(a, order, base)
    guard done == order else {
      throw .notPositiveDefinite(order: order, leadingMinor: done + 1)
    }
  }
}
