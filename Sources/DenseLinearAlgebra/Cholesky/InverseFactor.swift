extension CholeskyFactor {
  /// L⁻¹ [order, order], lower triangular with zeros above the diagonal, in the factor's storage.
  ///
  /// - Complexity: order³/3 flops, LAPACK's trtri.
  consuming func lowerInverse() -> Matrix<Element> {
    let order = order
    var inverse = intoStorage()
    guard order > 0, let base = unsafe inverse.storage.baseAddress else { return inverse }
    let info = unsafe Element._kernels.trtri(base, blasIndex(order, "rows of L"), .lower)
    precondition(info == 0, "a Cholesky factor has a positive diagonal")
    inverse.clearAboveDiagonal()
    return inverse
  }
}

extension Matrix {
  /// Turns the order of rows and of columns round: aᵢⱼ := a at [rows − 1 − i, columns − 1 − j].
  mutating func reverse() {
    var (low, high) = (0, count - 1)
    while low < high {
      unsafe storage.swapAt(low, high)
      (low, high) = (low + 1, high - 1)
    }
  }

  mutating func clearAboveDiagonal() {
    for row in 0..<rows {
      for index in row * columns + row + 1..<(row + 1) * columns { unsafe storage[index] = 0 }
    }
  }

  mutating func clearBelowDiagonal() {
    for row in 0..<rows {
      for index in row * columns..<row * columns + row { unsafe storage[index] = 0 }
    }
  }

  /// The upper triangular U with Uᵀ U = H⁻¹ of a symmetric positive definite H, in H's storage: the
  /// Cholesky factor of the inverse, without the inverse.
  ///
  /// With J the reversal of order and J H J = L Lᵀ, H = (J L J)(J L J)ᵀ, so U = J L⁻¹ J. One
  /// factorization and one triangular inverse, where inverting H first takes three steps and squares
  /// the condition number on the way.
  /// - Precondition: the matrix is square and symmetric.
  /// - Throws: what ``CholeskyFactor/init(factorizing:)`` throws, its positions counted from the end.
  /// - Complexity: 2 order³/3 flops, no memory beside H but what the factorization takes.
  public consuming func upperFactorOfInverse() throws(LinearAlgebraError) -> Matrix {
    var reversed = self
    reversed.reverse()
    var inverse = try CholeskyFactor(factorizing: reversed).lowerInverse()
    inverse.reverse()
    return inverse
  }
}
