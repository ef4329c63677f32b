extension Matrix {
  /// Aᵀ [columns, rows], moved in blocks that fit the cache.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public func transposed() -> Matrix {
    let result = Matrix(overwritten: columns, by: rows)
    for firstRow in stride(from: 0, to: rows, by: blockSide) {
      for firstColumn in stride(from: 0, to: columns, by: blockSide) {
        for row in firstRow..<min(firstRow + blockSide, rows) {
          for column in firstColumn..<min(firstColumn + blockSide, columns) {
            unsafe result.storage[column * rows + row] = storage[row * columns + column]
          }
        }
      }
    }
    return result
  }

  /// The same matrix in another precision, each element rounded to nearest; a `Double` beyond
  /// `Float`'s range becomes infinite.
  @specialized(where Element == Float, Other == Float)
  @specialized(where Element == Float, Other == Double)
  @specialized(where Element == Double, Other == Float)
  @specialized(where Element == Double, Other == Double)
  public func converted<Other: LinearAlgebraElement>(to type: Other.Type) -> Matrix<Other> {
    let result = Matrix<Other>(overwritten: rows, by: columns)
    for index in unsafe storage.indices {
      unsafe result.storage[index] = Other(storage[index])
    }
    return result
  }
}
