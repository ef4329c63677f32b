internal import COpenBLAS

/// The BLAS and LAPACK routines of one precision, behind row-major Swift signatures.
///
/// Opaque outside this room. A table and not protocol requirements, because the requirements of a
/// public protocol are public and these take pointers.
///
/// Row-major storage read as column-major is the transpose, so LAPACK's upper factor U with Uᵀ U = A
/// is our lower factor L = Uᵀ with L Lᵀ = A, without moving an element; and LAPACK's lower factor is Lᵀ
/// in our upper triangle.
@safe public struct BLASKernels<Element>: Sendable {
  /// Replaces a triangle of A [order, order] by L or Lᵀ; LAPACK's `info`. The rest stays.
  let potrf:
    @Sendable (_ a: UnsafeMutablePointer<Element>, _ order: Int32, _ triangle: StoredTriangle) ->
      Int32

  /// An estimate of 1 / ‖(L Lᵀ)⁻¹‖₁ from L or Lᵀ [order, order], order > 0. Allocates 4 order elements.
  let inverseNorm:
    @Sendable (_ factor: UnsafePointer<Element>, _ order: Int32, _ triangle: StoredTriangle) ->
      Element

  /// Replaces L or Lᵀ [order, order] by its inverse; LAPACK's `info`. The rest stays.
  let trtri:
    @Sendable (
      _ factor: UnsafeMutablePointer<Element>, _ order: Int32, _ triangle: StoredTriangle
    ) -> Int32

  /// B := L⁻¹ B from the left, or B := B L⁻ᵀ from the right, B [rows, columns] not empty.
  let trsm:
    @Sendable (
      _ factor: UnsafePointer<Element>, _ order: Int32, _ triangle: StoredTriangle,
      _ b: UnsafeMutablePointer<Element>, _ rows: Int32, _ columns: Int32, _ side: Side
    ) -> Void

  /// B := Uᵀ B from the left, or B := B U from the right, B [rows, columns] with rows `bRowLength` apart; U in the
  /// upper triangle, with rows `rowLength` apart.
  let trmm:
    @Sendable (
      _ triangle: UnsafePointer<Element>, _ rowLength: Int32, _ b: UnsafeMutablePointer<Element>,
      _ bRowLength: Int32, _ rows: Int32, _ columns: Int32, _ side: Side
    ) -> Void

  /// C := alpha op(A) op(B) + beta C, C [rows, columns] with rows `cRowLength` apart, inner dimension
  /// `depth`, none of them 0.
  let gemm:
    @Sendable (
      _ alpha: Element, _ a: Operand<Element>, _ b: Operand<Element>, _ beta: Element,
      _ c: UnsafeMutablePointer<Element>, _ cRowLength: Int32, _ rows: Int32, _ columns: Int32,
      _ depth: Int32
    ) -> Void

  /// The upper triangle of C [order, order] -= Aᵀ A, A [depth, order], none of them 0.
  let syrk:
    @Sendable (
      _ a: UnsafePointer<Element>, _ aRowLength: Int32, _ depth: Int32,
      _ c: UnsafeMutablePointer<Element>, _ cRowLength: Int32, _ order: Int32
    ) -> Void

  /// Replaces A [order, order] by its eigenvectors, one per row, and fills `values`, ascending;
  /// LAPACK's `info`. 0 < order ≤ ``SymmetricEigen/largestOrder``. Allocates about 2 order² elements.
  let syevd:
    @Sendable (
      _ a: UnsafeMutablePointer<Element>, _ order: Int32, _ values: UnsafeMutablePointer<Element>
    ) -> Int32

  /// Fills `values` with the min(rows, columns) singular values of A [rows, columns], descending, and
  /// overwrites A; LAPACK's `info`. No side is 0. Allocates a few dozen elements per row and column.
  let gesvd:
    @Sendable (
      _ a: UnsafeMutablePointer<Element>, _ rows: Int32, _ columns: Int32,
      _ values: UnsafeMutablePointer<Element>
    ) -> Int32

  enum Side { case left, right }
}

/// A factor of a product: row-major elements, the length of a stored row, and whether it is read
/// transposed.
@safe struct Operand<Element> {
  let elements: UnsafePointer<Element>
  let rowLength: Int32
  let isTransposed: Bool

  fileprivate var transposition: CBLAS_TRANSPOSE { isTransposed ? CblasTrans : CblasNoTrans }
}

extension BLASKernels<Float> {
  static let single = unsafe BLASKernels(
    potrf: { a, order, triangle in
      var (n, info): (Int32, Int32) = (order, 0)
      unsafe spotrf_(triangle.columnMajorName, &n, a, &n, &info, 1)
      requireValidArguments("spotrf", info)
      return info
    },
    inverseNorm: { factor, order, triangle in
      var (n, info): (Int32, Int32) = (order, 0)
      var (norm, result): (Float, Float) = (1, 0)
      let work = Matrix<Float>(workspace: 3 * Int(order))
      var integers = [Int32](repeating: 0, count: Int(order))
      unsafe spocon_(
        triangle.columnMajorName, &n, factor, &n, &norm, &result, work.storage.baseAddress,
        &integers, &info, 1)
      requireValidArguments("spocon", info)
      return result
    },
    trtri: { factor, order, triangle in
      var (n, info): (Int32, Int32) = (order, 0)
      unsafe strtri_(triangle.columnMajorName, "N", &n, factor, &n, &info, 1, 1)
      requireValidArguments("strtri", info)
      return info
    },
    trsm: { factor, order, triangle, b, rows, columns, side in
      unsafe cblas_strsm(
        CblasRowMajor, side == .left ? CblasLeft : CblasRight,
        triangle == .lower ? CblasLower : CblasUpper,
        (side == .left) == (triangle == .lower) ? CblasNoTrans : CblasTrans, CblasNonUnit, rows,
        columns, 1, factor, order, b, columns)
    },
    trmm: { triangle, rowLength, b, bRowLength, rows, columns, side in
      unsafe cblas_strmm(
        CblasRowMajor, side == .left ? CblasLeft : CblasRight, CblasUpper,
        side == .left ? CblasTrans : CblasNoTrans, CblasNonUnit, rows, columns, 1, triangle,
        rowLength, b, bRowLength)
    },
    gemm: { alpha, a, b, beta, c, cRowLength, rows, columns, depth in
      unsafe cblas_sgemm(
        CblasRowMajor, a.transposition, b.transposition, rows, columns, depth, alpha, a.elements,
        a.rowLength, b.elements, b.rowLength, beta, c, cRowLength)
    },
    syrk: { a, aRowLength, depth, c, cRowLength, order in
      unsafe cblas_ssyrk(
        CblasRowMajor, CblasUpper, CblasTrans, order, depth, -1, a, aRowLength, 1, c, cRowLength)
    },
    syevd: { a, order, values in
      // 1. Ask for the workspace.  2. Decompose in it.
      var (n, info): (Int32, Int32) = (order, 0)
      var (workSize, integerSize): (Int32, Int32) = (-1, -1)
      var (bestWork, bestIntegers): (Float, Int32) = (0, 0)
      unsafe ssyevd_(
        "V", "U", &n, a, &n, values, &bestWork, &workSize, &bestIntegers, &integerSize, &info, 1, 1)
      requireValidArguments("ssyevd", info)
      workSize = largestWorkspace(order)
      integerSize = bestIntegers
      let work = Matrix<Float>(workspace: Int(workSize))
      var integers = [Int32](repeating: 0, count: Int(integerSize))
      unsafe ssyevd_(
        "V", "U", &n, a, &n, values, work.storage.baseAddress, &workSize, &integers, &integerSize,
        &info, 1, 1)
      requireValidArguments("ssyevd", info)
      return info
    },
    gesvd: { a, rows, columns, values in
      // 1. Ask for the workspace.  2. Decompose in it.
      var (m, n, one, info): (Int32, Int32, Int32, Int32) = (columns, rows, 1, 0)
      var workSize: Int32 = -1
      var (bestWork, u, vt): (Float, Float, Float) = (0, 0, 0)
      unsafe sgesvd_(
        "N", "N", &m, &n, a, &m, values, &u, &one, &vt, &one, &bestWork, &workSize, &info, 1,
        1)
      requireValidArguments("sgesvd", info)
      workSize = workspace(asked: Double(bestWork), rows, columns)
      let work = Matrix<Float>(workspace: Int(workSize))
      unsafe sgesvd_(
        "N", "N", &m, &n, a, &m, values, &u, &one, &vt, &one, work.storage.baseAddress, &workSize,
        &info, 1, 1)
      requireValidArguments("sgesvd", info)
      return info
    })
}

extension BLASKernels<Double> {
  static let double = unsafe BLASKernels(
    potrf: { a, order, triangle in
      var (n, info): (Int32, Int32) = (order, 0)
      unsafe dpotrf_(triangle.columnMajorName, &n, a, &n, &info, 1)
      requireValidArguments("dpotrf", info)
      return info
    },
    inverseNorm: { factor, order, triangle in
      var (n, info): (Int32, Int32) = (order, 0)
      var (norm, result): (Double, Double) = (1, 0)
      let work = Matrix<Double>(workspace: 3 * Int(order))
      var integers = [Int32](repeating: 0, count: Int(order))
      unsafe dpocon_(
        triangle.columnMajorName, &n, factor, &n, &norm, &result, work.storage.baseAddress,
        &integers, &info, 1)
      requireValidArguments("dpocon", info)
      return result
    },
    trtri: { factor, order, triangle in
      var (n, info): (Int32, Int32) = (order, 0)
      unsafe dtrtri_(triangle.columnMajorName, "N", &n, factor, &n, &info, 1, 1)
      requireValidArguments("dtrtri", info)
      return info
    },
    trsm: { factor, order, triangle, b, rows, columns, side in
      unsafe cblas_dtrsm(
        CblasRowMajor, side == .left ? CblasLeft : CblasRight,
        triangle == .lower ? CblasLower : CblasUpper,
        (side == .left) == (triangle == .lower) ? CblasNoTrans : CblasTrans, CblasNonUnit, rows,
        columns, 1, factor, order, b, columns)
    },
    trmm: { triangle, rowLength, b, bRowLength, rows, columns, side in
      unsafe cblas_dtrmm(
        CblasRowMajor, side == .left ? CblasLeft : CblasRight, CblasUpper,
        side == .left ? CblasTrans : CblasNoTrans, CblasNonUnit, rows, columns, 1, triangle,
        rowLength, b, bRowLength)
    },
    gemm: { alpha, a, b, beta, c, cRowLength, rows, columns, depth in
      unsafe cblas_dgemm(
        CblasRowMajor, a.transposition, b.transposition, rows, columns, depth, alpha, a.elements,
        a.rowLength, b.elements, b.rowLength, beta, c, cRowLength)
    },
    syrk: { a, aRowLength, depth, c, cRowLength, order in
      unsafe cblas_dsyrk(
        CblasRowMajor, CblasUpper, CblasTrans, order, depth, -1, a, aRowLength, 1, c, cRowLength)
    },
    syevd: { a, order, values in
      // 1. Ask for the workspace.  2. Decompose in it.
      var (n, info): (Int32, Int32) = (order, 0)
      var (workSize, integerSize): (Int32, Int32) = (-1, -1)
      var (bestWork, bestIntegers): (Double, Int32) = (0, 0)
      unsafe dsyevd_(
        "V", "U", &n, a, &n, values, &bestWork, &workSize, &bestIntegers, &integerSize, &info, 1, 1)
      requireValidArguments("dsyevd", info)
      workSize = largestWorkspace(order)
      integerSize = bestIntegers
      let work = Matrix<Double>(workspace: Int(workSize))
      var integers = [Int32](repeating: 0, count: Int(integerSize))
      unsafe dsyevd_(
        "V", "U", &n, a, &n, values, work.storage.baseAddress, &workSize, &integers, &integerSize,
        &info, 1, 1)
      requireValidArguments("dsyevd", info)
      return info
    },
    gesvd: { a, rows, columns, values in
      // 1. Ask for the workspace.  2. Decompose in it.
      var (m, n, one, info): (Int32, Int32, Int32, Int32) = (columns, rows, 1, 0)
      var workSize: Int32 = -1
      var (bestWork, u, vt): (Double, Double, Double) = (0, 0, 0)
      unsafe dgesvd_(
        "N", "N", &m, &n, a, &m, values, &u, &one, &vt, &one, &bestWork, &workSize, &info, 1,
        1)
      requireValidArguments("dgesvd", info)
      workSize = workspace(asked: Double(bestWork), rows, columns)
      let work = Matrix<Double>(workspace: Int(workSize))
      unsafe dgesvd_(
        "N", "N", &m, &n, a, &m, values, &u, &one, &vt, &one, work.storage.baseAddress, &workSize,
        &info, 1, 1)
      requireValidArguments("dgesvd", info)
      return info
    })
}

extension Matrix {
  /// Workspace of `count` elements for LAPACK: as aligned as every matrix, since an array's alignment
  /// changes from run to run, and with it the order in which OpenBLAS's asum adds up.
  fileprivate init(workspace count: Int) {
    self.init(rows: 1, columns: count)
  }
}

/// The workspace syevd asks for by its formula, 1 + 6 n + 2 n². Computed here and not read from the
/// query: single precision rounds the query's answer above 2²⁴.
private func largestWorkspace(_ order: Int32) -> Int32 {
  let n = Int(order)
  return Int32(1 + 6 * n + 2 * n * n)
}

/// The workspace that gesvd asked for, but no less than its formula: single precision rounds the
/// query's answer above 2²⁴.
private func workspace(asked: Double, _ rows: Int32, _ columns: Int32) -> Int32 {
  let (short, long) = (Int(min(rows, columns)), Int(max(rows, columns)))
  return Int32(clamping: max(3 * short + long, 5 * short, Int(asked)))
}

/// Stops the process at a negative `info`: the call itself was wrong, which no caller can mend.
private func requireValidArguments(_ routine: String, _ info: Int32) {
  precondition(info >= 0, "\(routine): argument \(-info) is invalid, a bug in DenseLinearAlgebra")
}
