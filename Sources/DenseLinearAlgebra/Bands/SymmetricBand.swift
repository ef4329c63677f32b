/// A symmetric band matrix B: `width` diagonals on either side of the main one.
public struct SymmetricBand: Sendable {
  public let order: Int
  public let width: Int
  /// Bᵢⱼ for j = i − width ... i is element i (width + 1) + (j − i + width); 0 where j < 0.
  let rows: [Double]

  /// Of a matrix of which only the band of the lower triangle is read.
  init(lowerTriangleOf matrix: borrowing Matrix<Double>, width: Int) {
    var rows = [Double](repeating: 0, count: matrix.rows * (width + 1))
    for i in 0..<matrix.rows {
      for j in max(i - width, 0)...i { rows[i * (width + 1) + j - i + width] = matrix[i, j] }
    }
    self.init(order: matrix.rows, width: width, rows: rows)
  }

  /// Of columns [order, width + 1], each from the diagonal down.
  init(columns: borrowing Matrix<Double>, width: Int) {
    var rows = [Double](repeating: 0, count: columns.count)
    for i in 0..<columns.rows {
      for j in max(i - width, 0)...i { rows[i * (width + 1) + j - i + width] = columns[j, i - j] }
    }
    self.init(order: columns.rows, width: width, rows: rows)
  }

  private init(order: Int, width: Int, rows: [Double]) {
    self.order = order
    self.width = width
    self.rows = rows
  }

  /// B written out, [order, order].
  package func matrix() -> Matrix<Double> {
    var result = Matrix<Double>(rows: order, columns: order)
    for i in 0..<order {
      for j in max(i - width, 0)...i {
        let value = rows[i * (width + 1) + j - i + width]
        result[i, j] = value
        result[j, i] = value
      }
    }
    return result
  }

  /// rᵢ := Lᵢ⁻¹ rᵢ for every row i of R, with scaleᵢ B + shift I = Lᵢ Lᵢᵀ: then rᵢ · rᵢ is the quadratic
  /// form of the inverse, and inner products of rows whitened alike are those of its metric.
  ///
  /// Four rows at a time, side by side in the lanes of vectors. The bits do not depend on ``BLASThreads``,
  /// nor on the processor.
  /// - Parameters: `rows` [k, order], `scales` [k].
  /// - Throws: `notPositiveDefinite` for the first row whose matrix is not; R is then spoiled.
  /// - Complexity: k order (width² + 4 width) flops; (order + 4 width²) · 32 bytes.
  public func whiten(
    _ rows: inout Matrix<Double>, scales: [Double], shift: Double
  ) throws(LinearAlgebraError) {
    precondition(
      rows.columns == order && scales.count == rows.rows,
      "\(rows.rows) × \(rows.columns) and \(scales.count) scales do not fit order \(order)")
    var window = BandWindow(of: self)
    for first in stride(from: 0, to: rows.rows, by: BandWindow.lanes) {
      let count = min(BandWindow.lanes, rows.rows - first)
      var scale = SIMD4<Double>()
      for lane in 0..<count { scale[lane] = scales[first + lane] }
      window.load(rows, from: first, count: count)
      // Lanes without a row solve with I.
      var shifts = SIMD4<Double>(repeating: 1)
      for lane in 0..<count { shifts[lane] = shift }
      let pivots = window.factorize(self, scales: scale, shifts: shifts)
      for lane in 0..<count where pivots[lane] != order {
        throw .notPositiveDefinite(order: order, leadingMinor: Int(pivots[lane]) + 1)
      }
      window.store(in: &rows, from: first, count: count)
    }
  }
}
