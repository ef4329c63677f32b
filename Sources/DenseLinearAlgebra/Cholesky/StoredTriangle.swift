/// Which triangle of its storage a Cholesky factor takes.
public enum StoredTriangle: Sendable {
  /// L, row by row. Only the lower triangle of the matrix is read.
  case lower
  /// Lᵀ, which LAPACK makes faster (0.90 instead of 0.77 of the rate of products at order 1024 in single
  /// precision). For a matrix that is symmetric in both triangles.
  case upper

  /// LAPACK's `uplo`: what it reads is our transpose.
  var columnMajorName: String { self == .lower ? "U" : "L" }
}
