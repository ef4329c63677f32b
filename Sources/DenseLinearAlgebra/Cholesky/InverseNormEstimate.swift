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
    unsafe TriangularSweep.solve(
      factor, order: order, x, second: both ? x + order : nil, from: first)
  }
}

/// Solves with few right-hand sides, each element of the factor read once per sweep for all of them.
enum TriangularSweep {
  /// x := (L Lᵀ)⁻¹ x with Lᵀ in the upper triangle; the same of a second vector.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  static func solve<Element: LinearAlgebraElement>(
    _ factor: UnsafePointer<Element>, order: Int, _ x: UnsafeMutablePointer<Element>,
    second: UnsafeMutablePointer<Element>?, from first: Int
  ) {
    // 1. L y = x: what row k of Lᵀ takes from the elements after it. Four rows at a time.
    let begin = first & ~3
    for top in stride(from: begin, to: order, by: 4) {
      unsafe forward(factor, order, top, x)
      if let second = unsafe second { unsafe forward(factor, order, top, second) }
    }
    // 2. Lᵀ z = y, from the last row up.
    for top in stride(from: (order - 1) & ~3, through: 0, by: -4) {
      unsafe backward(factor, order, top, x)
      if let second = unsafe second { unsafe backward(factor, order, top, second) }
    }
  }

  @inline(__always)
  private static func forward<Element: LinearAlgebraElement>(
    _ factor: UnsafePointer<Element>, _ order: Int, _ top: Int, _ x: UnsafeMutablePointer<Element>
  ) {
    let end = min(top + 4, order)
    for row in top..<end {
      let this = unsafe factor + row * order
      unsafe x[row] = x[row] / this[row]
      for column in row + 1..<max(end, row + 1) { unsafe x[column] -= x[row] * this[column] }
    }
    guard end < order else { return }
    let (a, b, c, d) = unsafe (x[top], x[top + 1], x[top + 2], x[top + 3])
    let p = unsafe factor + top * order
    let (q, r, s) = unsafe (p + order, p + 2 * order, p + 3 * order)
    for column in end..<order {
      unsafe x[column] -= (a * p[column] + b * q[column]) + (c * r[column] + d * s[column])
    }
  }

  @inline(__always)
  private static func backward<Element: LinearAlgebraElement>(
    _ factor: UnsafePointer<Element>, _ order: Int, _ top: Int, _ x: UnsafeMutablePointer<Element>
  ) {
    let end = min(top + 4, order)
    if end < order {
      let p = unsafe factor + top * order
      let (q, r, s) = unsafe (p + order, p + 2 * order, p + 3 * order)
      // In Float64, as all sums of this room; independent sums are added side by side.
      var (a, b, c, d) = (
        SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>()
      )
      let whole = end + (order - end) & ~3
      for column in stride(from: end, to: whole, by: 4) {
        let z = unsafe four(x + column)
        unsafe a += four(p + column) * z
        unsafe b += four(q + column) * z
        unsafe c += four(r + column) * z
        unsafe d += four(s + column) * z
      }
      var sums = (a.sum(), b.sum(), c.sum(), d.sum())
      for column in whole..<order {
        let z = unsafe Double(x[column])
        unsafe sums.0 += Double(p[column]) * z
        unsafe sums.1 += Double(q[column]) * z
        unsafe sums.2 += Double(r[column]) * z
        unsafe sums.3 += Double(s[column]) * z
      }
      unsafe x[top] -= Element(sums.0)
      unsafe x[top + 1] -= Element(sums.1)
      unsafe x[top + 2] -= Element(sums.2)
      unsafe x[top + 3] -= Element(sums.3)
    }
    // The block itself.
    for row in stride(from: end - 1, through: top, by: -1) {
      let this = unsafe factor + row * order
      var value = unsafe x[row]
      for column in row + 1..<max(end, row + 1) { unsafe value -= this[column] * x[column] }
      unsafe x[row] = value / this[row]
    }
  }

  @inline(__always)
  private static func four<Element: LinearAlgebraElement>(
    _ elements: UnsafePointer<Element>
  ) -> SIMD4<Double> {
    unsafe SIMD4(
      Double(elements[0]), Double(elements[1]), Double(elements[2]), Double(elements[3]))
  }
}
