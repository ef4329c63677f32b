/// A dense matrix A [rows, columns] in row-major order: aᵢⱼ is element i · columns + j.
///
/// It owns its storage, aligned to 64 bytes, and frees it at the end of its life. Matrices of
/// gigabytes must not be copied by accident, so it is moved, borrowed, or copied by name (``copy()``).
/// A side may be 0. Not the type for a vector of statistics or a sparse matrix.
@safe public struct Matrix<Element: LinearAlgebraElement>: ~Copyable {
  public let rows: Int
  public let columns: Int
  /// Always `count` initialized elements, reached by no other matrix.
  @usableFromInline let storage: UnsafeMutableBufferPointer<Element>

  /// rows · columns.
  public var count: Int { unsafe storage.count }

  /// Storage whose elements the caller initializes before anyone can read them.
  private init(uninitializedRows rows: Int, columns: Int) {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    let (byteCount, byteOverflow) = count.multipliedReportingOverflow(
      by: MemoryLayout<Element>.stride)
    precondition(
      rows >= 0 && columns >= 0 && !overflow && !byteOverflow,
      "a matrix of \(rows) × \(columns) elements is impossible")
    self.rows = rows
    self.columns = columns
    unsafe storage = UnsafeMutableBufferPointer(
      start: MatrixMemory.allocate(byteCount: byteCount).bindMemory(
        to: Element.self, capacity: count), count: count)
  }

  deinit {
    if let memory = unsafe UnsafeMutableRawBufferPointer(storage).baseAddress {
      unsafe MatrixMemory.release(memory, byteCount: count * MemoryLayout<Element>.stride)
    }
  }

  /// Zeros.
  ///
  /// - Precondition: no side is negative, and rows · columns elements fit the address space. When
  ///   memory runs out the process ends.
  public init(rows: Int, columns: Int) {
    self.init(uninitializedRows: rows, columns: columns)
    // Bytes of 0, which is how both types spell 0: initialize(repeating:) goes element by element where
    // the caller is not specialized.
    unsafe UnsafeMutableRawBufferPointer(storage).initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// - Precondition: `elements` holds rows · columns elements, row by row.
  public init(rows: Int, columns: Int, elements: [Element]) {
    self.init(uninitializedRows: rows, columns: columns)
    precondition(
      elements.count == count, "\(elements.count) elements cannot fill \(rows) × \(columns)")
    _ = unsafe storage.initialize(fromContentsOf: elements)
  }

  /// Elements that are anything: for results that are written as a whole, and workspaces.
  init(overwritten rows: Int, by columns: Int) {
    self.init(uninitializedRows: rows, columns: columns)
  }

  /// Filled by `body`, which gets all elements row by row, as anything, and must write every one.
  package static func overwritten<Failure: Error>(
    rows: Int, columns: Int, by body: (inout MutableSpan<Element>) throws(Failure) -> Void
  ) throws(Failure) -> Matrix {
    var matrix = Matrix(overwritten: rows, by: columns)
    try matrix.withMutableSpan(body)
    return matrix
  }

  /// Filled by `body`, which gets all elements row by row, as zeros; what it leaves alone stays 0.
  public init<Failure: Error>(
    rows: Int, columns: Int,
    initializingWith body: (inout MutableSpan<Element>) throws(Failure) -> Void
  ) throws(Failure) {
    var matrix = Matrix(rows: rows, columns: columns)
    try matrix.withMutableSpan(body)
    self = matrix
  }

  /// aᵢⱼ. - Precondition: 0 ≤ row < rows, 0 ≤ column < columns.
  @inlinable public subscript(row: Int, column: Int) -> Element {
    get { unsafe storage[position(row, column)] }
    set { unsafe storage[position(row, column)] = newValue }
  }

  @inlinable func position(_ row: Int, _ column: Int) -> Int {
    precondition(
      row >= 0 && row < rows && column >= 0 && column < columns,
      "element outside of its matrix")
    return row * columns + column
  }

  /// A matrix of its own with the same elements.
  public func copy() -> Matrix {
    let result = Matrix(uninitializedRows: rows, columns: columns)
    unsafe UnsafeMutableRawBufferPointer(result.storage).copyMemory(
      from: UnsafeRawBufferPointer(storage))
    return result
  }
}

// Sound, because the storage has one owner, which is moved and never copied: two threads can both
// reach it only as a borrow, and a borrow only reads.
extension Matrix: @unchecked Sendable {}

extension Matrix {
  /// Calls `body` with the elements row by row. (A property would need a lifetime annotation, which
  /// Swift 6.3 has behind an experimental flag only.)
  public func withSpan<Result, Failure: Error>(
    _ body: (Span<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(unsafe storage.span)
  }

  /// Calls `body` with the elements row by row, to change them.
  public mutating func withMutableSpan<Result, Failure: Error>(
    _ body: (inout MutableSpan<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    var span = unsafe storage.mutableSpan
    return try body(&span)
  }

  /// Row by row, as an array of its own.
  public func elements() -> [Element] { unsafe Array(storage) }
}
