/// The eigendecomposition of a symmetric matrix: A = Q diag(w) Qᵀ, w ascending, Q orthogonal.
public struct SymmetricEigen<Element: LinearAlgebraElement>: ~Copyable, Sendable {
  /// The largest order whose workspace of 1 + 6 n + 2 n² elements this BLAS with 32-bit integers can
  /// count.
  public static var largestOrder: Int { 32_766 }

  public let order: Int
  /// w, ascending.
  public let values: [Element]
  /// Qᵀ [order, order]: eigenvector i is row i.
  public let vectorRows: Matrix<Element>

  /// Decomposes in the storage of the consumed matrix, of which only the lower triangle is read.
  ///
  /// - Throws: `tooLarge` above ``largestOrder``, `notFinite` for the first nan or infinity,
  ///   `notConverged` where LAPACK's syevd gives up.
  /// - Precondition: the matrix is square.
  /// - Complexity: about 9 order³ flops, 2 order² elements of workspace.
  public init(decomposing matrix: consuming Matrix<Element>) throws(LinearAlgebraError) {
    precondition(
      matrix.rows == matrix.columns,
      "only a square matrix has eigenvectors, not \(matrix.rows) × \(matrix.columns)")
    let order = matrix.rows
    guard order <= Self.largestOrder else {
      throw .tooLarge(order: order, limit: Self.largestOrder)
    }
    if !matrix.symmetricOneNorm().isFinite,
      let (row, column) = matrix.firstNonFiniteOfLowerTriangle()
    {
      throw .notFinite(order: order, row: row, column: column)
    }
    let size = try blasOrder(order)
    var values = [Element](repeating: 0, count: order)
    if order > 0, let base = unsafe matrix.storage.baseAddress {
      // Column-major eigenvector columns are row-major rows.
      let info = unsafe Element._kernels.syevd(base, size, &values)
      guard info == 0 else { throw .notConverged(order: order, info: Int(info)) }
    }
    self.order = order
    self.values = values
    self.vectorRows = matrix
  }

  /// Qᵀ, given away with its storage.
  public consuming func releaseVectors() -> Matrix<Element> { vectorRows }
}
