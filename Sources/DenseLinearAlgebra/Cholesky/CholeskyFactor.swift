/// The Cholesky factor L of a symmetric positive definite matrix: A = L Lᵀ, L [order, order] lower
/// triangular with a positive diagonal.
///
/// It lives in the storage of the matrix that it was made of.
public struct CholeskyFactor<Element: LinearAlgebraElement>: ~Copyable, Sendable {
  public let order: Int
  /// ‖A‖₁ = maxⱼ Σᵢ |aᵢⱼ|, in Float64.
  public let oneNorm: Double
  /// An estimate of 1 / κ₁(A) = 1 / (‖A‖₁ ‖A⁻¹‖₁), as LAPACK's pocon makes it; 1 for order 0.
  ///
  /// The estimate of ‖A⁻¹‖₁ never exceeds it but for rounding, so the true reciprocal may be smaller
  /// than this, not larger.
  /// Postcondition: `0 <= reciprocalCondition && reciprocalCondition <= 1`.
  public let reciprocalCondition: Double
  /// Where L is in the storage.
  private let triangle: StoredTriangle
  /// L or Lᵀ in its triangle; the other, strictly, still holds A's elements.
  private let storage: Matrix<Element>
  /// How it solves where products are the faster way from both sides.
  private let products: ProductFactorization<Element>?
  private let way: Way

  /// Factorizes in the storage of the consumed matrix, of which only the lower triangle is read; with
  /// `.upper` it must be symmetric in both.
  ///
  /// - Parameter knownOneNorm: ‖A‖₁ where it is known and finite; nil to take it here.
  /// - Parameter way: by products or panels, which need `.upper`, or by LAPACK.
  /// - Throws: `notFinite` for the first nan or infinity of that triangle, `notPositiveDefinite` for
  ///   the first leading block that is not, `tooLarge` for an order above 2³¹ − 1.
  /// - Precondition: the matrix is square; with products or panels the triangle is `.upper`.
  /// - Complexity: order³/3 flops, some 10 order² for the condition estimate; 8 order bytes beside
  ///   the matrix for its norm, with panels 96 order elements while it is factorized, then 4 order
  ///   elements for the estimate.
  public init(
    factorizing matrix: consuming Matrix<Element>, in triangle: StoredTriangle = .lower,
    knownOneNorm: Double? = nil, way: Way = .fastest
  ) throws(LinearAlgebraError) {
    precondition(
      matrix.rows == matrix.columns,
      "only a square matrix has a Cholesky factor, not \(matrix.rows) × \(matrix.columns)")
    let order = matrix.rows
    let way = way.chosen(for: Element.self, order: order, triangle)
    precondition(
      way == .lapack || triangle == .upper, "products and panels use an upper triangle only")
    let size = try blasOrder(order)

    // 1. The norm, while A is still there; it is not finite when an element is not.
    let norm = knownOneNorm ?? matrix.symmetricOneNorm()
    if !norm.isFinite, let (row, column) = matrix.firstNonFiniteOfLowerTriangle() {
      throw .notFinite(order: order, row: row, column: column)
    }

    // 2. The factor. LAPACK tests for diag > 0 only; an overflow on the way may leave nan behind.
    var reciprocal = 1.0
    var products: ProductFactorization<Element>?
    if order > 0, let base = unsafe matrix.storage.baseAddress {
      switch way {
      case .products:
        products = try unsafe ProductFactorization(factorizing: base, order: order)
      case .panels:
        try unsafe PanelFactorization<Element>.factorize(base, order: order)
      case .lapack, .fastest:
        let info = unsafe Element._kernels.potrf(base, size, triangle)
        guard info == 0 else {
          throw .notPositiveDefinite(order: order, leadingMinor: Int(info))
        }
      }
      for index in 0..<order {
        let pivot = matrix[index, index]
        guard pivot > 0 && pivot.isFinite else {
          throw .notPositiveDefinite(order: order, leadingMinor: index + 1)
        }
      }

      // 3. Its condition. Divided by the norm here, which in Float could overflow.
      reciprocal = min(unsafe Self.reciprocalInverseNorm(base, order, triangle) / norm, 1)
    }
    self.way = way
    self.order = order
    self.triangle = triangle
    self.oneNorm = norm
    self.reciprocalCondition = reciprocal
    self.storage = matrix
    self.products = products
  }

  /// How to factorize and solve.
  public enum Way: Sendable {
    /// What is faster with this processor's kernels.
    case fastest
    case lapack
    case products
    /// By panels, solves where those are faster.
    case panels

    fileprivate func chosen(
      for type: Element.Type, order: Int, _ triangle: StoredTriangle
    ) -> Way {
      guard self == .fastest else { return self }
      if triangle == .lower { return .lapack }
      if PanelFactorization<Element>.isFaster(order: order) { return .panels }
      return ProductFactorization<Element>.isFaster ? .products : .lapack
    }
  }

  /// An estimate of 1 / ‖(L Lᵀ)⁻¹‖₁.
  private static func reciprocalInverseNorm(
    _ base: UnsafePointer<Element>, _ order: Int, _ triangle: StoredTriangle
  ) -> Double {
    if triangle == .upper {
      var estimate = unsafe InverseNormEstimate(of: base, order: order)
      let norm = Double(estimate.value())
      if norm.isFinite && norm > 0 { return 1 / norm }
    }
    return unsafe Double(
      Element._kernels.inverseNorm(base, blasIndex(order, "rows of L"), triangle))
  }

  /// B := L⁻¹ B for B [order, k]. - Complexity: order² k flops.
  ///
  /// - Precondition: `b.rows == order` and k < 2³¹.
  public func solveFromLeft(_ b: inout Matrix<Element>) {
    precondition(b.rows == order, "L of order \(order) does not fit B with \(b.rows) rows")
    solve(&b, from: .left)
  }

  /// B := B L⁻ᵀ for B [k, order]. - Complexity: order² k flops.
  ///
  /// - Precondition: `b.columns == order` and k < 2³¹.
  public func solveFromRightTransposed(_ b: inout Matrix<Element>) {
    precondition(b.columns == order, "L of order \(order) does not fit B with \(b.columns) columns")
    solve(&b, from: .right)
  }

  /// tr((L Lᵀ)⁻¹) = ‖L⁻¹‖²_F, in Float64 and in a fixed order; infinite where L⁻¹ overflows.
  ///
  /// No smaller than 1/λmin(L Lᵀ), so its reciprocal is a bound on the smallest eigenvalue.
  /// - Complexity: order³/3 flops, LAPACK's trtri; order² elements beside the factor.
  public func inverseTrace() -> Double {
    var inverse = storage.copy()
    switch triangle {
    case .lower: inverse.clearAboveDiagonal()
    case .upper: inverse.clearBelowDiagonal()
    }
    guard order > 0, let base = unsafe inverse.storage.baseAddress else { return 0 }
    let info = unsafe Element._kernels.trtri(base, blasIndex(order, "rows of L"), triangle)
    precondition(info == 0, "a Cholesky factor has a positive diagonal")
    let trace = inverse.sumOfSquares
    return trace.isFinite ? trace : .infinity
  }

  /// The storage, L in its lower triangle.
  ///
  /// - Precondition: it was put there.
  consuming func intoStorage() -> Matrix<Element> {
    precondition(triangle == .lower, "L is not in the lower triangle")
    return storage
  }

  private func solve(_ b: inout Matrix<Element>, from side: BLASKernels<Element>.Side) {
    guard b.count > 0, let factor = unsafe storage.storage.baseAddress,
      let base = unsafe b.storage.baseAddress
    else { return }
    switch products {
    case .some(let products):
      switch side {
      case .left: unsafe products.solveFromLeft(factor, base, columns: b.columns)
      case .right: unsafe products.solveFromRight(factor, base, rows: b.rows)
      }
    case .none:
      if way == .panels, unsafe solveByPanels(factor, base, b.rows, b.columns, side) { return }
      unsafe Element._kernels.trsm(
        factor, blasIndex(order, "rows of L"), triangle, base, blasIndex(b.rows, "rows of B"),
        blasIndex(b.columns, "columns of B"), side)
    }
  }

  /// Whether panels are the faster way, which then has been gone.
  private func solveByPanels(
    _ factor: UnsafePointer<Element>, _ b: UnsafeMutablePointer<Element>, _ rows: Int,
    _ columns: Int, _ side: BLASKernels<Element>.Side
  ) -> Bool {
    switch side {
    case .left:
      unsafe PanelFactorization.solveFromLeft(factor, order: order, b, columns: columns)
    case .right: unsafe PanelFactorization.solveFromRight(factor, order: order, b, rows: rows)
    }
  }

  /// L as a matrix of its own, zeros above the diagonal.
  package func lowerTriangle() -> Matrix<Element> {
    var result = Matrix<Element>(rows: order, columns: order)
    for row in 0..<order {
      for column in 0...row {
        result[row, column] = triangle == .lower ? storage[row, column] : storage[column, row]
      }
    }
    return result
  }
}

extension Matrix {
  /// ‖A‖₁ of the symmetric matrix that has this one's lower triangle.
  @specialized(where Element == Float)
  @specialized(where Element == Double)
  func symmetricOneNorm() -> Double {
    var sums = [Double](repeating: 0, count: rows)
    for row in 0..<rows {
      // Eight columns side by side; a sum of one after the other waits for every addition.
      var lanes = SIMD8<Double>()
      var rest = unsafe abs(Double(storage[row * columns + row]))
      let whole = row & ~7
      unsafe sums.withUnsafeMutableBufferPointer { sums in
        for first in stride(from: 0, to: whole, by: 8) {
          for lane in 0..<8 {
            let magnitude = unsafe abs(Double(storage[row * columns + first + lane]))
            lanes[lane] += magnitude
            unsafe sums[first + lane] += magnitude
          }
        }
        for column in whole..<row {
          let magnitude = unsafe abs(Double(storage[row * columns + column]))
          rest += magnitude
          unsafe sums[column] += magnitude
        }
        unsafe sums[row] += rest + lanes.sum()
      }
    }
    // A nan must win, which max() does not promise.
    return sums.reduce(0.0) { $0 >= $1 || $0.isNaN ? $0 : $1 }
  }

  func firstNonFiniteOfLowerTriangle() -> (row: Int, column: Int)? {
    for row in 0..<rows {
      for column in 0...row where !self[row, column].isFinite { return (row, column) }
    }
    return nil
  }
}
