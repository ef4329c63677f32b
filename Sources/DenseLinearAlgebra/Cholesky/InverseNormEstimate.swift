/// An estimate of ‖(L Lᵀ)⁻¹‖₁ from Lᵀ in the upper triangle of a square matrix: the method and, but for
/// rounding, the value of LAPACK's pocon, in two thirds of its passes over the factor.
///
/// Higham's iteration asks for solves with vectors of signs and unit vectors, one after the other, and ends
/// with one vector that does not depend on the others. Here that one is solved for beside the first, and
/// no pass is spent on the norms that guard against overflow: an estimate that is not finite tells.
/// (N. J. Higham, FORTRAN codes for estimating the one-norm, ACM TOMS 14, 1988.) No BLAS: the bits depend on
/// nothing but the factor.
@safe struct InverseNormEstimate<Element: LinearAlgebraElement>: ~Copyable {
  private let order: Int
  private let factor: UnsafePointer<Element>
  /// Two right-hand sides, one below the other.
  private var vectors: Matrix<Element>

  /// - Precondition: `order` > 0.
  init(of factor: UnsafePointer<Element>, order: Int) {
    self.order = order
    unsafe self.factor = factor
    vectors = Matrix(rows: 2, columns: order)
  }

  /// - Complexity: 8 to 16 passes over the triangle, order² flops each, less where it converges at once.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  mutating func value() -> Element {
    let x = unsafe vectors.storage.baseAddress.unsafelyUnwrapped
    let count = Element(order)
    // 1. The mean of the columns, and beside it signs in turn, growing.
    for index in 0..<order {
      let size = 1 + Element(index) / Element(max(order - 1, 1))
      unsafe x[index] = 1 / count
      unsafe x[order + index] = index % 2 == 0 ? size : -size
    }
    solve(both: true, from: 0)
    if order == 1 { return unsafe abs(x[0]) }
    var estimate = sizes(row: 0)
    let alternating = 2 * sizes(row: 1) / (3 * count)

    // 2. Signs of the last column found point to a larger one, until they repeat.
    var signs = takeSigns()
    solve(both: false, from: 0)
    var column = largest()
    for _ in 2...5 {
      for index in 0..<order { unsafe x[index] = index == column ? 1 : 0 }
      solve(both: false, from: column)
      let before = estimate
      estimate = sizes(row: 0)
      let found = takeSigns()
      if found == signs || estimate <= before { break }
      signs = found
      solve(both: false, from: 0)
      let next = largest()
      if unsafe x[column] == abs(x[next]) { break }
      column = next
    }
    return max(estimate, alternating)
  }

  /// Σ |xᵢ| of a right-hand side.
  private func sizes(row: Int) -> Element {
    var sum: Element = 0
    for index in 0..<order { sum += abs(vectors[row, index]) }
    return sum
  }

  private func largest() -> Int {
    var (place, size): (Int, Element) = (0, 0)
    for index in 0..<order where abs(vectors[0, index]) > size {
      (place, size) = (index, abs(vectors[0, index]))
    }
    return place
  }

  /// x := its signs, 1 for 0; which of them are −1.
  private mutating func takeSigns() -> [Bool] {
    (0..<order).map { index in
      let isNegative = vectors[0, index] < 0
      vectors[0, index] = isNegative ? -1 : 1
      return isNegative
    }
  }

  /// x := (L Lᵀ)⁻¹ x for one or both; elements before `first` are 0.
  private func solve(both: Bool, from first: Int) {
    let x = unsafe vectors.storage.baseAddress.unsafelyUnwrapped
    unsafe Element._loops.solveVectors(factor, order, x, both ? x + order : nil, first)
  }
}
