// Elements are assigned and not changed in place (`*=`): for that Swift 6.3 makes code under ThreadSanitizer
// that its own verifier rejects.
extension Matrix {
  /// tr A = Σ aᵢᵢ, added in index order in Float64. The diagonal of a matrix that is not square ends
  /// with its shorter side.
  public var trace: Double {
    var sum = 0.0
    for index in 0..<min(rows, columns) {
      unsafe sum += Double(storage[index * columns + index])
    }
    return sum
  }

  /// A := A + shift · I.
  public mutating func addToDiagonal(_ shift: Element) {
    for index in 0..<min(rows, columns) {
      let place = index * columns + index
      unsafe storage[place] = storage[place] + shift
    }
  }

  /// A := factor · A.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public mutating func scale(by factor: Element) {
    for index in unsafe storage.indices { unsafe storage[index] = storage[index] * factor }
  }

  /// aᵢⱼ := aᵢⱼ · factors[i]. - Precondition: one factor per row.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public mutating func scaleRows(by factors: [Double]) {
    precondition(factors.count == rows, "\(factors.count) factors for \(rows) rows")
    for row in 0..<rows {
      let factor = Element(factors[row])
      for index in row * columns..<(row + 1) * columns {
        unsafe storage[index] = storage[index] * factor
      }
    }
  }

  /// aᵢⱼ := aᵢⱼ · factors[j]. - Precondition: one factor per column.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public mutating func scaleColumns(by factors: [Double]) {
    precondition(factors.count == columns, "\(factors.count) factors for \(columns) columns")
    let narrowed = factors.map { Element($0) }
    for row in 0..<rows {
      for column in 0..<columns {
        let place = row * columns + column
        unsafe storage[place] = storage[place] * narrowed[column]
      }
    }
  }

  /// aᵢⱼ := aᵢⱼ · factor(i, j), the factor in Float64; an element that is 0 stays 0 unasked.
  @inlinable
  public mutating func scaleElements<Failure: Error>(
    by factor: (_ row: Int, _ column: Int) throws(Failure) -> Double
  ) throws(Failure) {
    for row in 0..<rows {
      for column in 0..<columns where self[row, column] != 0 {
        self[row, column] = Element(Double(self[row, column]) * (try factor(row, column)))
      }
    }
  }
}

/// Side of the square blocks in which a matrix and its transpose are walked together.
let blockSide = 16
