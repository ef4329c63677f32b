// Sums of products in Float64 and in one fixed order, for both element types: the same bits at every
// call, on every processor and for any number of BLAS threads, which BLAS's own sums are not.
//
// Eight running sums take elements 0, 8, 16, ..., elements 1, 9, 17, ... and so on; they are added as
// ((0+4)+(2+6)) + ((1+5)+(3+7)), then come the last count mod 8 products in index order. Eight,
// because independent sums are what a processor can add side by side.

/// Σ aᵢ bᵢ.
///
/// Products of `Float` are exact in Float64. Error: |result − exact| ≤ γ Σ |aᵢ bᵢ|, γ = m u/(1 − m u),
/// m = ⌈count/8⌉ + 11, u = 2⁻⁵³. Products of `Double` may overflow to infinity.
/// - Precondition: `a.count == b.count`.
/// - Complexity: 2 count flops.
public func dot<Element: LinearAlgebraElement>(_ a: Span<Element>, _ b: Span<Element>) -> Double {
  precondition(a.count == b.count, "\(a.count) and \(b.count) elements have no dot product")
  return unsafe a.withUnsafeBufferPointer { a in
    unsafe b.withUnsafeBufferPointer { b in
      guard let first = a.baseAddress, let second = b.baseAddress else { return 0 }
      return unsafe Element._loops.dot(first, second, a.count)
    }
  }
}

extension Matrix {
  /// ‖A‖²_F = Σ aᵢⱼ², in Float64, in the fixed order of ``dot(_:_:)``.
  public var sumOfSquares: Double { withSpan { dot($0, $0) } }
}

extension Matrix {
  /// ‖A‖²_F, the bits of ``sumOfSquares``, and ‖A‖₁ of a symmetric matrix, in one reading.
  public func symmetricNorms() -> (sumOfSquares: Double, one: Double) {
    // Rows that begin in another lane than they should for the sum of squares take two readings.
    guard columns % 8 == 0, let base = unsafe storage.baseAddress else {
      return (sumOfSquares, symmetricOneNorm())
    }
    let norms = unsafe Element._loops.norms(base, rows, columns)
    return (norms.sumOfSquares, norms.largestRowSum)
  }
}
