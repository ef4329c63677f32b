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
@specialized(where Element == Float)
@specialized(where Element == Double)
public func dot<Element: LinearAlgebraElement>(_ a: Span<Element>, _ b: Span<Element>) -> Double {
  precondition(a.count == b.count, "\(a.count) and \(b.count) elements have no dot product")
  var sums = SIMD8<Double>()
  let whole = a.count & ~7
  for first in stride(from: 0, to: whole, by: 8) {
    var (x, y) = (SIMD8<Double>(), SIMD8<Double>())
    for lane in 0..<8 {
      unsafe x[lane] = Double(a[unchecked: first + lane])
      unsafe y[lane] = Double(b[unchecked: first + lane])
    }
    sums += x * y
  }
  let four = sums.lowHalf + sums.highHalf
  let two = four.lowHalf + four.highHalf
  var sum = two[0] + two[1]
  for index in whole..<a.count { sum += Double(a[index]) * Double(b[index]) }
  return sum
}

extension Matrix {
  /// ‖A‖²_F = Σ aᵢⱼ², in Float64, in the fixed order of ``dot(_:_:)``.
  public var sumOfSquares: Double { withSpan { dot($0, $0) } }
}

extension Matrix {
  /// ‖A‖²_F, the bits of ``sumOfSquares``, and ‖A‖₁ of a symmetric matrix, in one reading.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func symmetricNorms() -> (sumOfSquares: Double, one: Double) {
    // Rows that begin in another lane than they should for the sum of squares take two readings.
    guard columns % 8 == 0 else { return (sumOfSquares, symmetricOneNorm()) }
    var squares = SIMD8<Double>()
    var largest = 0.0
    for row in 0..<rows {
      var sizes = SIMD8<Double>()
      for first in stride(from: row * columns, to: (row + 1) * columns, by: 8) {
        var x = SIMD8<Double>()
        for lane in 0..<8 { x[lane] = unsafe Double(storage[first + lane]) }
        squares += x * x
        for lane in 0..<8 { sizes[lane] += abs(x[lane]) }
      }
      // A nan must win, which max() does not promise.
      let size = sizes.sum()
      largest = largest >= size || largest.isNaN ? largest : size
    }
    let four = squares.lowHalf + squares.highHalf
    let two = four.lowHalf + four.highHalf
    return (two[0] + two[1], largest)
  }
}
