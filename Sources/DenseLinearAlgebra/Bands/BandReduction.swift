/// A = Q B Qᵀ with B a narrow band and Q orthogonal: what is needed of an eigendecomposition where A is
/// only ever shifted and solved with.
///
/// Q is kept as Householder reflectors in the storage of A and never formed: vectors are carried through
/// it. 4/3 order³ flops in products against 9 order³, half of them bound by memory, for eigenvectors.
public struct BandReduction: ~Copyable, Sendable {
  public let order: Int
  /// B.
  public let band: SymmetricBand
  /// Row i from column i + band.width: reflector i, its leading 1 left out. For few rows only B.
  private let storage: Matrix<Double>
  /// The triangular factors T of blocks of reflectors, one below the other, Q = Π (I − Vᵀ T V):
  /// [reflectors, block size].
  private let factors: Matrix<Double>

  /// Off-diagonals of B. The narrower, the cheaper its solves (width² per row and shift) and the slower
  /// the products that A is reduced by; 32 is where they balance at 3072 × 768 (docs/performance.md).
  public static let standardWidth = BandLoops.width
  /// Reflectors that are applied together, in products of this depth.
  private static let blockSize = 128

  /// Reduces in the storage of the consumed matrix, which must be symmetric in both triangles.
  ///
  /// - Throws: `notFinite` for the first nan or infinity, `tooLarge` for an order above 2³¹ − 1.
  /// - Precondition: the matrix is square, `width` ≥ 1.
  /// - Complexity: 4/3 order³ flops; beside the matrix 2 (128 + width) order elements, with
  ///   loops of our own 128 order more.
  public init(
    reducing matrix: consuming Matrix<Double>, width: Int = Self.standardWidth
  ) throws(LinearAlgebraError) {
    precondition(
      matrix.rows == matrix.columns && width >= 1,
      "only a square matrix has a band form, not \(matrix.rows) × \(matrix.columns)")
    let order = matrix.rows
    if !matrix.symmetricOneNorm().isFinite,
      let (row, column) = matrix.firstNonFiniteOfLowerTriangle()
    {
      throw .notFinite(order: order, row: row, column: column)
    }
    let size = try blasOrder(order)
    self.order = order
    guard order > width + 1 else {
      band = SymmetricBand(lowerTriangleOf: matrix, width: width)
      storage = matrix
      factors = Matrix(rows: 0, columns: Self.blockSize)
      return
    }
    let columns = Matrix<Double>(rows: order, columns: width + 1)
    let scales = Matrix<Double>(rows: 1, columns: order)
    if let base = unsafe matrix.storage.baseAddress,
      let target = unsafe columns.storage.baseAddress,
      let scaleTarget = unsafe scales.storage.baseAddress
    {
      unsafe BandKernels.reduce(
        base, order: size, width: Int32(width), band: target, scales: scaleTarget)
    }
    band = SymmetricBand(columns: columns, width: width)
    storage = matrix
    factors = Self.factors(of: storage, scales, width: width)
  }

  /// R := R Q for R [k, order].
  ///
  /// - Precondition: `rows.columns == order`.
  /// - Complexity: 2 order² k flops; beside R some 128 (2 k + order) elements, with
  ///   loops of our own 128 (2 k + order) more.
  public func carry(_ rows: inout Matrix<Double>) {
    precondition(rows.columns == order, "Q of order \(order) does not fit rows of \(rows.columns)")
    for first in stride(from: 0, to: factors.rows, by: Self.blockSize) {
      let count = min(Self.blockSize, factors.rows - first)
      let start = first + band.width
      let reflectors = Self.reflectors(storage, first: first, count: count, from: start)
      let factor = Matrix(
        rows: count, columns: count,
        elements: factors.elements(ofRows: first..<first + count, columns: 0..<count))
      // R := R − ((R Vᵀ) T) V on the columns that the block reaches.
      if BandLoops.areFaster(width: band.width),
        BandLoops.carry(&rows, from: start, reflectors, factor)
      {
        continue
      }
      let images = product(rows, columns: start..<order, timesTransposed: reflectors)
      rows.subtractProduct(product(images, factor), reflectors, fromColumn: start)
    }
  }

  /// V [count, order − start] of a block: the reflectors as rows, with their 1 and the zeros before it.
  private static func reflectors(
    _ storage: borrowing Matrix<Double>, first: Int, count: Int, from start: Int
  ) -> Matrix<Double> {
    let order = storage.rows
    let result = Matrix<Double>(rows: count, columns: order - start)
    for row in 0..<count {
      let source = (first + row) * order
      let target = row * result.columns
      unsafe result.storage[target + row] = 1
      for column in row + 1..<max(result.columns, row + 1) {
        unsafe result.storage[target + column] = storage.storage[source + start + column]
      }
    }
    return result
  }

  /// T of every block, upper triangular, by the columns: T_jj = τ_j and above it −τ_j T (V Vᵀ)_j.
  private static func factors(
    of storage: borrowing Matrix<Double>, _ scales: borrowing Matrix<Double>, width: Int
  ) -> Matrix<Double> {
    var result = Matrix<Double>(rows: storage.rows - width, columns: blockSize)
    for first in stride(from: 0, to: result.rows, by: blockSize) {
      let size = min(blockSize, result.rows - first)
      let v = reflectors(storage, first: first, count: size, from: first + width)
      let gram = product(v, v, transposedB: true)
      for j in 0..<size {
        let scale = scales[0, first + j]
        result[first + j, j] = scale
        for i in 0..<j {
          var sum = 0.0
          for k in i..<j { sum += result[first + i, k] * gram[k, j] }
          result[first + i, j] = -scale * sum
        }
      }
    }
    return result
  }
}
