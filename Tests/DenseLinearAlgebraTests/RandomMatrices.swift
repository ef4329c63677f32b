import DenseLinearAlgebra
import TestSupport

/// Each law is tested for both: `switch precision { case .single: try law(Float.self) ... }`.
enum Precision: CaseIterable { case single, double }

/// Orders that cover empty, scalar, one block with a rest, and several blocks of the blocked routines.
let orders = [0, 1, 2, 17, 130]

extension Matrix {
  /// Elements uniform in −1...1.
  static func random(rows: Int, columns: Int, _ generator: inout SeededGenerator) -> Matrix {
    let elements = (0..<rows * columns).map { _ in Element(generator.uniform(in: -1...1)) }
    return Matrix(rows: rows, columns: columns, elements: elements)
  }

  /// X Xᵀ / order + shift I, exactly symmetric, eigenvalues from about `shift` to 4/3 + shift.
  static func randomPositiveDefinite(
    order: Int, shift: Element = 0.01, _ generator: inout SeededGenerator
  ) -> Matrix {
    let x = random(rows: order, columns: order, &generator)
    var result = product(x, x, transposedB: true)
    if order > 0 { result.scale(by: 1 / Element(order)) }
    _ = result.symmetrize()
    result.addToDiagonal(shift)
    return result
  }

  static func diagonal(_ values: [Element]) -> Matrix {
    var result = Matrix(rows: values.count, columns: values.count)
    for (index, value) in values.enumerated() { result[index, index] = value }
    return result
  }
}

/// A product by three loops in Float64, and how large its terms are.
struct ReferenceProduct: ~Copyable {
  /// Σₖ aᵢₖ bₖⱼ.
  private(set) var sums: Matrix<Double>
  /// Σₖ |aᵢₖ bₖⱼ|, to which rounding errors are proportional.
  private(set) var magnitudes: Matrix<Double>

  init<Element>(_ a: borrowing Matrix<Element>, _ b: borrowing Matrix<Element>) {
    sums = Matrix(rows: a.rows, columns: b.columns)
    magnitudes = Matrix(rows: a.rows, columns: b.columns)
    for i in 0..<a.rows {
      for j in 0..<b.columns {
        for k in 0..<a.columns {
          let term = Double(a[i, k]) * Double(b[k, j])
          sums[i, j] += term
          magnitudes[i, j] += abs(term)
        }
      }
    }
  }

  /// max |cᵢⱼ − sumᵢⱼ| / magnitudeᵢⱼ: the error in units of what rounding may do.
  func largestError<Element>(of c: borrowing Matrix<Element>) -> Double {
    var largest = 0.0
    for i in 0..<sums.rows {
      for j in 0..<sums.columns {
        let error = abs(Double(c[i, j]) - sums[i, j])
        if error != 0 { largest = max(largest, error / magnitudes[i, j]) }
        if error.isNaN { return .nan }
      }
    }
    return largest
  }
}

/// Every way to a Cholesky factor: LAPACK in both triangles, products, panels.
func waysToFactorize<Element>(
  _ type: Element.Type
) -> [(StoredTriangle, CholeskyFactor<Element>.Way)] {
  [(.lower, .lapack), (.upper, .lapack), (.upper, .products), (.upper, .panels)]
}
