extension Matrix {
  /// Rows of the range, as a matrix of their own.
  public func rows(_ range: Range<Int>) -> Matrix {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows) do not exist")
    return Matrix(rows: range.count, columns: columns) { part in
      withSpan { all in
        let first = range.lowerBound * columns
        for index in 0..<range.count * columns { part[index] = all[first + index] }
      }
    }
  }

  /// Row `row` := all elements of another matrix, row by row.
  /// - Precondition: that matrix has as many elements as this one has columns.
  public mutating func setRow(_ row: Int, to elements: borrowing Matrix) {
    precondition(
      row >= 0 && row < rows && elements.count == columns,
      "\(elements.count) elements do not fill a row of \(columns)")
    let columns = columns
    withMutableSpan { all in
      elements.withSpan { values in
        for index in 0..<columns { all[row * columns + index] = values[index] }
      }
    }
  }

  /// A Aᵀ [rows, rows] in Float64, row by row, every element by the fixed-order ``dot(_:_:)``: the
  /// same bits for any number of BLAS threads. For few long rows.
  /// - Complexity: rows² columns flops.
  public func gramOfRows() -> [Double] {
    withSpan { all in
      var products = [Double](repeating: 0, count: rows * rows)
      for first in 0..<rows {
        for second in 0...first {
          let product = dot(
            all.extracting(first * columns..<(first + 1) * columns),
            all.extracting(second * columns..<(second + 1) * columns))
          products[first * rows + second] = product
          products[second * rows + first] = product
        }
      }
      return products
    }
  }
}

extension Matrix {
  /// The elements of some columns of some rows, row by row.
  public func elements(ofRows rows: Range<Int>, columns range: Range<Int>) -> [Element] {
    precondition(
      rows.lowerBound >= 0 && rows.upperBound <= self.rows && range.lowerBound >= 0
        && range.upperBound <= columns, "rows \(rows) and columns \(range) do not exist")
    // As bytes: an element at a time would be a call each where the caller is not specialized.
    let width = MemoryLayout<Element>.stride
    return unsafe [Element](unsafeUninitializedCapacity: rows.count * range.count) {
      part, count in
      let source = unsafe UnsafeRawBufferPointer(storage)
      let target = UnsafeMutableRawBufferPointer(part)
      for (index, row) in rows.enumerated() {
        let first = (row * columns + range.lowerBound) * width
        unsafe UnsafeMutableRawBufferPointer(
          rebasing: target[index * range.count * width..<(index + 1) * range.count * width]
        ).copyMemory(
          from: UnsafeRawBufferPointer(
            rebasing: source[first..<first + range.count * width]))
      }
      count = rows.count * range.count
    }
  }

  /// The elements of some columns, row by row.
  public func elements(ofColumns range: Range<Int>) -> [Element] {
    elements(ofRows: 0..<rows, columns: range)
  }

  /// Replaces some columns by `elements`, row by row.
  public mutating func setColumns(_ range: Range<Int>, to elements: [Element]) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns && elements.count == rows * range.count,
      "\(elements.count) elements do not fill columns \(range)")
    let width = MemoryLayout<Element>.stride
    let target = unsafe UnsafeMutableRawBufferPointer(storage)
    unsafe elements.withUnsafeBytes { source in
      for row in 0..<rows {
        let first = (row * columns + range.lowerBound) * width
        unsafe UnsafeMutableRawBufferPointer(
          rebasing: target[first..<first + range.count * width]
        ).copyMemory(
          from: UnsafeRawBufferPointer(
            rebasing: source[row * range.count * width..<(row + 1) * range.count * width]))
      }
    }
  }

  /// The first `order` rows and columns, as a matrix of their own.
  public func leading(_ order: Int) -> Matrix {
    Matrix(
      rows: order, columns: order, elements: elements(ofRows: 0..<order, columns: 0..<order))
  }
}
