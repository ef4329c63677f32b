public import DenseLinearAlgebra

/// diag H [outputs, inputs] of one module, undamped: h_ij is the curvature along weight ij alone.
///
/// Nothing is inverted here, so nothing is damped. A diagonal of rank one is kept as its two sides
/// and never written out.
public struct CurvatureDiagonal: ~Copyable {
  enum Form: ~Copyable {
    /// H = I.
    case identity
    /// h_ij = rows[i] · columns[j].
    case rankOne(rows: [Double], columns: [Double])
    case full(Matrix<Double>)
  }
  public let outputs: Int
  /// Columns, the one of a bias included where it takes part; that is the last.
  public let inputs: Int
  private let form: Form

  init(outputs: Int, inputs: Int, _ form: consuming Form) {
    self.outputs = outputs
    self.inputs = inputs
    self.form = form
  }

  /// h_ij ≥ 0.
  public subscript(row: Int, column: Int) -> Double {
    precondition(
      row >= 0 && row < outputs && column >= 0 && column < inputs, "a weight outside of its module")
    switch form {
    case .identity: return 1
    case .rankOne(let rows, let columns): return rows[row] * columns[column]
    case .full(let values): return values[row, column]
    }
  }

  /// Replaces consecutive rows of W by the second-order costs s_ij = ½ w_ij² h_ij of zeroing each
  /// weight alone.
  ///
  /// `weights` [rows, columns] are the rows of W from `firstRow` on. It may lack the column of the bias.
  /// - Postcondition: every element is at least +0.
  /// - Complexity: one pass.
  public func replaceByCosts(_ weights: inout Matrix<Double>, firstRow: Int) {
    let (rowCount, columnCount) = (weights.rows, weights.columns)
    precondition(
      firstRow >= 0 && firstRow + rowCount <= outputs && columnCount <= inputs,
      "weights outside of their module")
    let inputs = inputs
    switch form {
    case .identity:
      weights.withMutableSpan { all in
        for index in 0..<rowCount * columnCount { all[index] = 0.5 * all[index] * all[index] }
      }
    case .rankOne(let rows, let columns):
      weights.withMutableSpan { all in
        for row in 0..<rowCount {
          let half = 0.5 * rows[firstRow + row]
          for column in 0..<columnCount {
            let weight = all[row * columnCount + column]
            all[row * columnCount + column] = weight * weight * (half * columns[column])
          }
        }
      }
    case .full(let values):
      values.withSpan { diagonal in
        weights.withMutableSpan { all in
          for row in 0..<rowCount {
            for column in 0..<columnCount {
              let weight = all[row * columnCount + column]
              let half = 0.5 * diagonal[(firstRow + row) * inputs + column]
              all[row * columnCount + column] = weight * weight * half
            }
          }
        }
      }
    }
  }
}
