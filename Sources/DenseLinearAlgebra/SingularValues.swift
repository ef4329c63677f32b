extension Matrix {
  /// The singular values σ of A = U diag(σ) Vᵀ, descending; neither U nor V is formed.
  ///
  /// Computed from A itself by LAPACK's gesvd and not from the smaller of A Aᵀ and AᵀA, whose
  /// eigenvalues σ² lose all digits of a σ below √u σ₁: here every σ is off by a small multiple of
  /// u σ₁, u = 2⁻²⁴ or 2⁻⁵³. In the storage of the consumed matrix.
  ///
  /// - Throws: `singularValuesNotConverged` where gesvd gives up.
  /// - Precondition: every element is finite.
  /// - Complexity: at most 4 m n k − 4 k³/3 flops, k the shorter side; beside the matrix a workspace
  ///   of a few dozen elements per row and column.
  public consuming func singularValues() throws(LinearAlgebraError) -> [Element] {
    var values = [Element](repeating: 0, count: min(rows, columns))
    guard count > 0, let base = unsafe storage.baseAddress else { return values }
    // Row-major A read by columns is Aᵀ, which has the same singular values.
    let info = unsafe Element._kernels.gesvd(
      base, try blasOrder(rows), try blasOrder(columns), &values)
    guard info == 0 else {
      throw .singularValuesNotConverged(rows: rows, columns: columns, info: Int(info))
    }
    return values
  }
}
