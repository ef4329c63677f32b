/// Cholesky factorization and triangular solves made of products, for Lᵀ in the upper triangle.
///
/// A matrix is halved until 32 rows are left; those are factorized and inverted here, one by one, and
/// everything else is `gemm`, `syrk` for the symmetric part. Solving with the inverses of diagonal blocks is
/// as stable as substitution where the blocks are well conditioned, which blocks of a factor are at least as
/// much as the factor (N. J. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 8.4 and 14.2).
///
/// For kernel families whose own triangular routines are slow, see ``isFaster``. The last bits differ from those
/// of LAPACK, as they do between kernel families.
@safe struct ProductFactorization<Element: LinearAlgebraElement>: ~Copyable {
  /// The rows of a block on the diagonal that is not halved any more.
  static var blockRows: Int { 32 }

  /// Whether products are the faster way on this processor: OpenBLAS's kernels for AVX-512 have no vectorized
  /// `trsm`. At order 1024 `potrf` reaches 0.6 and `trsm` 0.55 to 0.7 of the rate of products there, this 0.7
  /// and 0.85 to 0.9; with the kernels for AVX2 the library is ahead by 1 to 8 % (docs/performance.md) and
  /// ``PanelFactorization`` further.
  static var isFaster: Bool {
    BLASThreads.family == .avx512
  }

  private let order: Int
  /// The inverse of each block on the diagonal of Lᵀ, one below the other, zeros below their diagonals.
  private let inverses: Matrix<Element>

  /// Replaces the upper triangle of A [order, order] by Lᵀ; the rest stays.
  ///
  /// - Throws: `notPositiveDefinite` at the first pivot that is not above 0.
  /// - Complexity: order³/3 flops, 32 order elements.
  init(factorizing a: UnsafeMutablePointer<Element>, order: Int) throws(LinearAlgebraError) {
    self.order = order
    inverses = Matrix(rows: order, columns: Self.blockRows)
    try unsafe factorize(a, 0..<order)
  }

  private func factorize(
    _ a: UnsafeMutablePointer<Element>, _ rows: Range<Int>
  ) throws(LinearAlgebraError) {
    guard rows.count > Self.blockRows else {
      let block = unsafe a + rows.lowerBound * (order + 1)
      let done = unsafe Element._loops.factorizeBlock(block, rows.count, order)
      guard done == rows.count else {
        throw .notPositiveDefinite(order: order, leadingMinor: rows.lowerBound + done + 1)
      }
      return unsafe invert(a, rows)
    }
    let (upper, lower) = Self.halves(rows)
    try unsafe factorize(a, upper)
    let right = unsafe a + upper.lowerBound * order + lower.lowerBound
    unsafe solveLeft(a, upper, right, columns: lower.count, rowLength: order)
    unsafe Element._kernels.syrk(
      right, Int32(order), Int32(upper.count), a + lower.lowerBound * (order + 1), Int32(order),
      Int32(lower.count))
    try unsafe factorize(a, lower)
  }

  private func invert(_ factor: UnsafePointer<Element>, _ rows: Range<Int>) {
    unsafe Element._loops.invertBlock(
      factor + rows.lowerBound * (order + 1), rows.count, order, inverse(of: rows), Self.blockRows)
  }

  /// B := L⁻¹ B for B [order, columns]. - Complexity: order² columns flops.
  func solveFromLeft(
    _ factor: UnsafePointer<Element>, _ b: UnsafeMutablePointer<Element>, columns: Int
  ) {
    unsafe solveLeft(factor, 0..<order, b, columns: columns, rowLength: columns)
  }

  /// B := B L⁻ᵀ for B [rows, order]. - Complexity: order² rows flops.
  func solveFromRight(
    _ factor: UnsafePointer<Element>, _ b: UnsafeMutablePointer<Element>, rows: Int
  ) {
    unsafe solveRight(factor, 0..<order, b, rows: rows)
  }

  /// With the part of L that `range` spans, B being its rows.
  private func solveLeft(
    _ factor: UnsafePointer<Element>, _ range: Range<Int>, _ b: UnsafeMutablePointer<Element>,
    columns: Int, rowLength: Int
  ) {
    guard range.count > Self.blockRows else {
      return unsafe Element._kernels.trmm(
        inverse(of: range), Int32(Self.blockRows), b, Int32(rowLength), Int32(range.count),
        Int32(columns), .left)
    }
    let (upper, lower) = Self.halves(range)
    unsafe solveLeft(factor, upper, b, columns: columns, rowLength: rowLength)
    let below = unsafe b + upper.count * rowLength
    unsafe Element._kernels.gemm(
      -1,
      operand(
        factor + upper.lowerBound * order + lower.lowerBound, order, isTransposed: true),
      operand(b, rowLength), 1, below, Int32(rowLength), Int32(lower.count), Int32(columns),
      Int32(upper.count))
    unsafe solveLeft(factor, lower, below, columns: columns, rowLength: rowLength)
  }

  /// With the part of L that `range` spans, B's columns of that range.
  private func solveRight(
    _ factor: UnsafePointer<Element>, _ range: Range<Int>, _ b: UnsafeMutablePointer<Element>,
    rows: Int
  ) {
    let own = unsafe b + range.lowerBound
    guard range.count > Self.blockRows else {
      return unsafe Element._kernels.trmm(
        inverse(of: range), Int32(Self.blockRows), own, Int32(order), Int32(rows),
        Int32(range.count), .right)
    }
    let (left, right) = Self.halves(range)
    unsafe solveRight(factor, left, b, rows: rows)
    unsafe Element._kernels.gemm(
      -1, operand(own, order),
      operand(factor + left.lowerBound * order + right.lowerBound, order), 1,
      b + right.lowerBound, Int32(order), Int32(rows), Int32(right.count), Int32(left.count))
    unsafe solveRight(factor, right, b, rows: rows)
  }

  private func inverse(of range: Range<Int>) -> UnsafeMutablePointer<Element> {
    unsafe inverses.storage.baseAddress.unsafelyUnwrapped + range.lowerBound * Self.blockRows
  }

  private func operand(
    _ elements: UnsafePointer<Element>, _ rowLength: Int, isTransposed: Bool = false
  ) -> Operand<Element> {
    unsafe Operand(
      elements: elements, rowLength: Int32(rowLength), isTransposed: isTransposed)
  }

  /// Two parts, the first a whole number of blocks.
  private static func halves(_ range: Range<Int>) -> (Range<Int>, Range<Int>) {
    let blocks = (range.count + blockRows - 1) / blockRows
    let middle = range.lowerBound + (blocks + 1) / 2 * blockRows
    return (range.lowerBound..<middle, middle..<range.upperBound)
  }
}
