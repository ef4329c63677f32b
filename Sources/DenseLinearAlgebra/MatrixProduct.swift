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
  let result = Matrix<Element>(rows: rows, columns: columns)
  guard result.count > 0, depth > 0,
    let first = unsafe a.storage.baseAddress, let second = unsafe b.storage.baseAddress,
    let target = unsafe result.storage.baseAddress
  else { return result }
  unsafe Element._kernels.gemm(
    Operand(
      elements: first, rowLength: blasIndex(a.columns, "columns of A"), isTransposed: transposedA),
    Operand(
      elements: second, rowLength: blasIndex(b.columns, "columns of B"), isTransposed: transposedB),
    target, blasIndex(rows, "rows of the product"), blasIndex(columns, "columns of the product"),
    blasIndex(depth, "terms per element"))
  return result
}
