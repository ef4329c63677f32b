internal import COpenBLAS

/// The LAPACK routines on band matrices that we call, in double precision: the first half of an
/// eigendecomposition, which is the half that products do.
enum BandKernels {
  /// Reduces the lower triangle of A [order, order] to a band; LAPACK's `info`.
  ///
  /// `band` gets column j as elements j (width + 1) ..., the diagonal first; `scales` one per reflector,
  /// order − width of them. Reflector i is left in row i of A from column i + width, its leading 1 not
  /// stored. Order > width + 1.
  static func reduce(
    _ a: UnsafeMutablePointer<Double>, order: Int32, width: Int32,
    band: UnsafeMutablePointer<Double>, scales: UnsafeMutablePointer<Double>
  ) -> Int32 {
    var (n, kd, rows, info): (Int32, Int32, Int32, Int32) = (order, width, width + 1, 0)
    var (workSize, best): (Int32, Double) = (-1, 0)
    unsafe dsytrd_sy2sb_(
      "L", &n, &kd, a, &n, band, &rows, scales, &best, &workSize, &info, 1)
    precondition(info == 0, "dsytrd_sy2sb: argument \(-info) is invalid")
    workSize = Int32(best)
    let work = Matrix<Double>(rows: 1, columns: Int(workSize))
    unsafe dsytrd_sy2sb_(
      "L", &n, &kd, a, &n, band, &rows, scales, work.storage.baseAddress, &workSize, &info, 1)
    precondition(info >= 0, "dsytrd_sy2sb: argument \(-info) is invalid")
    return info
  }

  /// The eigenvalues of a band matrix as `reduce` leaves it, ascending; overwrites the band. LAPACK's
  /// `info`. Order > 0.
  static func eigenvalues(
    _ band: UnsafeMutablePointer<Double>, order: Int32, width: Int32,
    values: UnsafeMutablePointer<Double>
  ) -> Int32 {
    var (n, kd, rows, one, info): (Int32, Int32, Int32, Int32, Int32) = (
      order, width, width + 1, 1, 0
    )
    let work = Matrix<Double>(rows: 1, columns: Int(order))
    let below = Matrix<Double>(rows: 1, columns: Int(order))
    var vectors = 0.0
    unsafe dsbtrd_(
      "N", "L", &n, &kd, band, &rows, values, below.storage.baseAddress, &vectors, &one,
      work.storage.baseAddress, &info, 1, 1)
    precondition(info == 0, "dsbtrd: argument \(-info) is invalid")
    unsafe dsterf_(&n, values, below.storage.baseAddress, &info)
    precondition(info >= 0, "dsterf: argument \(-info) is invalid")
    return info
  }
}
