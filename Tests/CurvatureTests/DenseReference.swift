import Curvature
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

  /// H̃ of a kind for a module with known samples, written out in full, and its damping. `basis` holds
  /// the eigenvectors of EK-FAC, `c` the tokens per sample of the Kronecker kinds.
  static func damped(
    _ kind: CurvatureKind, _ module: SyntheticModule, relative r: Double,
    basis: (qa: [Double], qg: [Double]), c: Double = 1
  ) -> (matrix: [[Double]], damping: Double) {
    let (m, n) = (module.outputs, module.inputs)
    func plus(_ matrix: [[Double]], _ shift: Double) -> [[Double]] {
      matrix.indices.map { i in matrix[i].indices.map { matrix[i][$0] + (i == $0 ? shift : 0) } }
    }
    func mean(_ matrix: [[Double]]) -> Double {
      matrix.indices.reduce(0) { $0 + matrix[$1][$1] } / Double(matrix.count)
    }
    switch kind {
    case .identity: return (diagonal(.init(repeating: 0, count: m * n), shift: 1), 0)
    case .diagonal:
      let lambda = r * module.fisherDiagonal.reduce(0, +) / Double(m * n)
      return (diagonal(module.fisherDiagonal, shift: lambda), lambda)
    case .kfac, .kronecker:
      var values = ModuleValues(
        outputs: m, inputs: n, gradient: [], activation: module.activation.map { c * $0 },
        output: module.output, fisher: [])
      let (a, g) = (
        meanEigenvalue(values.activation, order: n), meanEigenvalue(values.output, order: m)
      )
      let lambda = r * a * g
      if kind == .kronecker {
        return (plus(kronecker(values, shiftA: 0, shiftG: 0), lambda), lambda)
      }
      let pi = (a / g).squareRoot()
      values.gradient = []
      return (
        kronecker(values, shiftA: pi * lambda.squareRoot(), shiftG: lambda.squareRoot() / pi),
        lambda
      )
    case .ekfac:
      // Σ_kl Λ_kl v_kl v_klᵀ with v_kl = column k of Q_G times column l of Q_A.
      let moments = module.lambda(basis.qa, basis.qg)
      let lambda = r * moments.reduce(0, +) / Double(m * n)
      var matrix = [[Double]](repeating: .init(repeating: 0, count: m * n), count: m * n)
      for k in 0..<m {
        for l in 0..<n {
          let v = (0..<m * n).map { basis.qg[$0 / n * m + k] * basis.qa[$0 % n * n + l] }
          for p in 0..<m * n {
            for q in 0..<m * n { matrix[p][q] += moments[k * n + l] * v[p] * v[q] }
          }
        }
      }
      return (plus(matrix, lambda), lambda)
    case .fisher:
      let fisher = module.fisher
      let lambda = r * mean(fisher) * Double(m * n) / Double(module.samples)
      return (plus(fisher, lambda), lambda)
    case .dense:
      let lambda = r * mean(module.fisher)
      return (plus(module.fisher, lambda), lambda)
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
