import TestSupport

/// The second road: every gain as gᵀ H̃⁻¹ g with H̃ written out in full and solved by elimination.
enum DenseReference {
  /// xᵀ H⁻¹ x by Gaussian elimination with partial pivoting.
  static func quadraticForm(_ matrix: [[Double]], _ vector: [Double]) -> Double {
    var a = matrix
    var b = vector
    let n = vector.count
    for column in 0..<n {
      let pivot = (column..<n).max { abs(a[$0][column]) < abs(a[$1][column]) } ?? column
      a.swapAt(column, pivot)
      b.swapAt(column, pivot)
      for row in column + 1..<max(n, column + 1) {
        let factor = a[row][column] / a[column][column]
        for k in column..<n { a[row][k] -= factor * a[column][k] }
        b[row] -= factor * b[column]
      }
    }
    var solution = [Double](repeating: 0, count: n)
    for row in (0..<n).reversed() {
      var value = b[row]
      for k in row + 1..<max(n, row + 1) { value -= a[row][k] * solution[k] }
      solution[row] = value / a[row][row]
    }
    return zip(vector, solution).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// (G + shiftG I) ⊗ (A + shiftA I), for gradients stacked row by row.
  static func kronecker(_ values: ModuleValues, shiftA: Double, shiftG: Double) -> [[Double]] {
    let (n, m) = (values.inputs, values.outputs)
    return (0..<m * n).map { row in
      (0..<m * n).map { column in
        let (i, j, k, l) = (row / n, row % n, column / n, column % n)
        let g = values.output[i * m + k] + (i == k ? shiftG : 0)
        let a = values.activation[j * n + l] + (j == l ? shiftA : 0)
        return g * a
      }
    }
  }

  static func diagonal(_ values: [Double], shift: Double) -> [[Double]] {
    values.indices.map { row in
      values.indices.map { $0 == row ? values[row] + shift : 0 }
    }
  }

  static func meanEigenvalue(_ matrix: [Double], order: Int) -> Double {
    (0..<order).reduce(0) { $0 + matrix[$1 * order + $1] } / Double(order)
  }
}
