extension Matrix {
  /// Removes marked elements of some columns, one column after the other, and makes up for each in the
  /// columns after it: e = w_ij / u_jj, w_ij := 0 and w_ik −= e u_jk for j < k < `end`.
  ///
  /// No element below the diagonal of U is used. The errors e, 0 where nothing is removed, go to `errors`
  /// [rows, width], whose columns are those of this matrix from `first` on; `marks` are laid out as they are.
  /// - Precondition: `factor` is as wide as this matrix and has a row for each column; the columns lie in those
  ///   of `errors`.
  /// - Complexity: 2 rows · columns · n flops and n (n + 1) elements of memory, with n the columns up to
  ///   `end`, rounded up to a multiple of 16: for few columns.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  public mutating func removeMarked(
    _ marks: [Bool], columns range: Range<Int>, upTo end: Int,
    by factor: borrowing Matrix, errors: inout Matrix, from first: Int
  ) {
    let (width, rowLength) = (errors.columns, columns)
    let lanes = (max(end - range.lowerBound, 0) + 15) & ~15
    precondition(
      range.upperBound <= end && first <= range.lowerBound
        && range.upperBound - first <= width && end <= columns && factor.columns == columns
        && factor.rows >= range.upperBound && errors.rows == rows && marks.count >= rows * width)
    guard rows > 0, !range.isEmpty, let weights = unsafe storage.baseAddress,
      let lost = unsafe errors.storage.baseAddress
    else { return }

    // 1. What is right of U's diagonal, filled up with zeros to whole rows of lanes; below it the diagonal, and
    // some rows of W.
    let together = 4
    let corner = Matrix(rows: lanes + 1 + together, columns: lanes)
    defer { extendLifetime(corner) }
    guard let right = unsafe corner.storage.baseAddress else { return }
    let (pivots, values) = unsafe (right + lanes * lanes, right + (lanes + 1) * lanes)
    for (index, column) in range.enumerated() {
      unsafe pivots[index] = factor[column, column]
      for later in column + 1..<max(end, column + 1) {
        unsafe right[index * lanes + later - range.lowerBound] = factor[column, later]
      }
    }

    // 2. Rows in memory of their own, which every column passes over as a whole. Some rows in turn, since the
    // columns of one wait for each other.
    let count = end - range.lowerBound
    unsafe marks.withUnsafeBufferPointer { marks in
      let marks = unsafe marks.baseAddress.unsafelyUnwrapped + range.lowerBound - first
      let lost = unsafe lost + range.lowerBound - first
      for top in stride(from: 0, to: rows, by: together) {
        let here = min(together, rows - top)
        for row in 0..<here {
          unsafe (values + row * lanes).update(
            from: weights + (top + row) * rowLength + range.lowerBound, count: count)
        }
        for column in 0..<range.count {
          for row in 0..<here {
            let offset = (top + row) * width + column
            let error = unsafe Self.eliminate(
              column, of: values + row * lanes, lanes, marks[offset], pivots[column],
              right + column * lanes)
            unsafe lost[offset] = error
          }
        }
        for row in 0..<here {
          let (place, found) = unsafe (
            weights + (top + row) * rowLength + range.lowerBound, values + row * lanes
          )
          for column in 0..<range.count {
            let value = unsafe found[column]
            unsafe place[column] = value - value * Self.number(marks[(top + row) * width + column])
          }
          for later in range.count..<max(count, range.count) {
            unsafe place[later] = found[later]
          }
        }
      }
    }
  }

  /// One column of one row, but for setting what is removed to 0, which would make the next column wait for a
  /// narrow store.
  @inline(__always)
  private static func eliminate(
    _ column: Int, of row: UnsafeMutablePointer<Element>, _ lanes: Int, _ mark: Bool,
    _ pivot: Element, _ shares: UnsafePointer<Element>
  ) -> Element {
    let vector = MemoryLayout<SIMD8<Element>>.stride
    let (values, shares) = unsafe (UnsafeMutableRawPointer(row), UnsafeRawPointer(shares))
    let error = unsafe row[column] * number(mark) / pivot
    for part in 0..<lanes &>> 3 {
      let share = unsafe shares.load(fromByteOffset: part &* vector, as: SIMD8<Element>.self)
      let value = unsafe values.load(fromByteOffset: part &* vector, as: SIMD8<Element>.self)
      unsafe values.storeBytes(
        of: value - share * error, toByteOffset: part &* vector, as: SIMD8<Element>.self)
    }
    return error
  }

  /// 1 for a mark. No branch depends on it: half of the marks are set, and a processor guesses a toss of a coin
  /// wrong every other time.
  @inline(__always)
  private static func number(_ mark: Bool) -> Element {
    Element(unsafe unsafeBitCast(mark, to: UInt8.self))
  }
}
