/// C = op(A) op(B) with op(X) = X or Xᵀ; A and B are read where they are.
///
/// `a`: op(A) [m, k]; `b`: op(B) [k, n]; result C [m, n], zeros where k = 0. The last bits depend on
/// ``BLASThreads``.
/// - Precondition: the inner sides agree, and m, n, k and the stored row lengths are below 2³¹.
/// - Complexity: 2 m n k flops.
public func product<Element: LinearAlgebraElement>(
  _ a: borrowing Matrix<Element>, transposedA: Bool = false,
  _ b: borrowing Matrix<Element>, transposedB: Bool = false
) -> Matrix<Element> {
  let (rows, depth) = transposedA ? (a.columns, a.rows) : (a.rows, a.columns)
  let (otherDepth, columns) = transposedB ? (b.columns, b.rows) : (b.rows, b.columns)
  precondition(
    depth == otherDepth,
    "\(rows) × \(depth) and \(otherDepth) × \(columns) have no product")
  guard rows * columns > 0, depth > 0 else { return Matrix(rows: rows, columns: columns) }
  let result = Matrix<Element>(overwritten: rows, by: columns)
  guard
    let first = unsafe a.storage.baseAddress, let second = unsafe b.storage.baseAddress,
    let target = unsafe result.storage.baseAddress
  else { return result }
  unsafe Element._kernels.gemm(
    1,
    Operand(
      elements: first, rowLength: blasIndex(a.columns, "columns of A"), isTransposed: transposedA),
    Operand(
      elements: second, rowLength: blasIndex(b.columns, "columns of B"), isTransposed: transposedB),
    0, target, blasIndex(columns, "columns of the product"), blasIndex(rows, "rows of the product"),
    blasIndex(columns, "columns of the product"), blasIndex(depth, "terms per element"))
  return result
}

extension Matrix {
  /// The columns `range` of this matrix -= A B, A being `rows.count` columns of `a` from `firstColumn` on and B
  /// the columns `range` of rows `rows` of `b`.
  ///
  /// `a` [self.rows, ·]; `b` has as many columns as this matrix. Nothing is copied. The last bits depend
  /// on ``BLASThreads``.
  /// - Complexity: 2 · self.rows · rows.count · range.count flops.
  public mutating func subtractProduct(
    _ a: borrowing Matrix, from firstColumn: Int = 0, _ b: borrowing Matrix, rows: Range<Int>,
    columns range: Range<Int>
  ) {
    precondition(
      a.rows == self.rows && firstColumn >= 0 && firstColumn + rows.count <= a.columns
        && b.columns == columns && rows.lowerBound >= 0 && rows.upperBound <= b.rows
        && range.lowerBound >= 0 && range.upperBound <= columns)
    guard !range.isEmpty, !rows.isEmpty, let first = unsafe a.storage.baseAddress,
      let second = unsafe b.storage.baseAddress, let target = unsafe storage.baseAddress
    else { return }
    let rowLength = blasIndex(columns, "columns of the matrix")
    unsafe Element._kernels.gemm(
      -1,
      Operand(
        elements: first + firstColumn, rowLength: blasIndex(a.columns, "columns of A"),
        isTransposed: false),
      Operand(
        elements: second + rows.lowerBound * columns + range.lowerBound, rowLength: rowLength,
        isTransposed: false),
      1, target + range.lowerBound, rowLength, blasIndex(self.rows, "rows of the matrix"),
      blasIndex(range.count, "columns of the product"), blasIndex(rows.count, "terms per element"))
  }
}

/// A_range Bᵀ for some columns of A: [a.rows, b.rows]. Nothing is copied.
///
/// - Precondition: `b` has as many columns as the range.
/// - Complexity: 2 · a.rows · b.rows · range.count flops.
func product(
  _ a: borrowing Matrix<Double>, columns range: Range<Int>,
  timesTransposed b: borrowing Matrix<Double>
) -> Matrix<Double> {
  precondition(
    range.lowerBound >= 0 && range.upperBound <= a.columns && b.columns == range.count)
  guard a.rows * b.rows > 0, !range.isEmpty else { return Matrix(rows: a.rows, columns: b.rows) }
  let result = Matrix<Double>(overwritten: a.rows, by: b.rows)
  guard let first = unsafe a.storage.baseAddress,
    let second = unsafe b.storage.baseAddress, let target = unsafe result.storage.baseAddress
  else { return result }
  unsafe Double._kernels.gemm(
    1,
    Operand(
      elements: first + range.lowerBound, rowLength: blasIndex(a.columns, "columns of A"),
      isTransposed: false),
    Operand(
      elements: second, rowLength: blasIndex(b.columns, "columns of B"), isTransposed: true),
    0, target, blasIndex(b.rows, "columns of the product"),
    blasIndex(a.rows, "rows of the product"), blasIndex(b.rows, "columns of the product"),
    blasIndex(range.count, "terms per element"))
  return result
}

extension Matrix<Double> {
  /// The columns from `first` on -= A B, `a` [rows, k] and `b` [k, columns − first].
  ///
  /// - Complexity: 2 · rows · k · (columns − first) flops.
  mutating func subtractProduct(
    _ a: borrowing Matrix, _ b: borrowing Matrix, fromColumn first: Int
  ) {
    precondition(
      a.rows == rows && a.columns == b.rows && first >= 0 && b.columns == columns - first)
    guard a.count > 0, b.count > 0, let left = unsafe a.storage.baseAddress,
      let right = unsafe b.storage.baseAddress, let target = unsafe storage.baseAddress
    else { return }
    unsafe Double._kernels.gemm(
      -1,
      Operand(
        elements: left, rowLength: blasIndex(a.columns, "columns of A"), isTransposed: false),
      Operand(
        elements: right, rowLength: blasIndex(b.columns, "columns of B"), isTransposed: false),
      1, target + first, blasIndex(columns, "columns of the matrix"),
      blasIndex(rows, "rows of the matrix"), blasIndex(b.columns, "columns of the product"),
      blasIndex(a.columns, "terms per element"))
  }
}
