/// Why a factorization has no result.
public enum LinearAlgebraError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The leading block of order `leadingMinor`, counted from 1, is not positive definite, or not so
  /// within rounding.
  case notPositiveDefinite(order: Int, leadingMinor: Int)
  /// The first element of the lower triangle, row by row, that is nan or infinite.
  case notFinite(order: Int, row: Int, column: Int)
  /// An eigenvalue was not found; `info` is LAPACK's.
  case notConverged(order: Int, info: Int)
  /// A singular value was not found; `info` is LAPACK's.
  case singularValuesNotConverged(rows: Int, columns: Int, info: Int)
  /// The order does not fit the 32-bit integers of this BLAS.
  case tooLarge(order: Int, limit: Int)

  public var description: String {
    switch self {
    case .notPositiveDefinite(let order, let minor):
      "the leading minor of order \(minor) of \(order) is not positive"
    case .notFinite(let order, let row, let column):
      "element [\(row), \(column)] of a matrix of order \(order) is not finite"
    case .notConverged(let order, let info):
      "the eigenvalues of a matrix of order \(order) did not converge (info \(info))"
    case .singularValuesNotConverged(let rows, let columns, let info):
      "the singular values of a matrix of \(rows) × \(columns) did not converge (info \(info))"
    case .tooLarge(let order, let limit):
      "order \(order) is above \(limit), the limit of this BLAS with 32-bit integers"
    }
  }
}
