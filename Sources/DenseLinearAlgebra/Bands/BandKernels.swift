internal import COpenBLAS

/// The LAPACK routines on band matrices that we call, in double precision: the first half of an
/// eigendecomposition, which is the half that products do.
enum BandKernels {
  /// Reduces the symmetric A [order, order], both triangles of which are read, to a band: LAPACK's
  /// dsytrd_sy2sb with a faster product of A and the reflectors.
  ///
  /// `band` gets column j as elements j (width + 1) ..., the diagonal first; `scales` one per reflector,
  /// order − width of them. Reflector i is left in row i of A from column i + width, its leading 1 not
  /// stored. Order > width + 1.
  static func reduce(
    _ a: UnsafeMutablePointer<Double>, order: Int32, width: Int32,
    band: UnsafeMutablePointer<Double>, scales: UnsafeMutablePointer<Double>
  ) {
    let (n, kd) = (Int(order), Int(width))
    // Everything by columns here: the storage is symmetric.
    func at(_ row: Int, _ column: Int) -> UnsafeMutablePointer<Double> {
      unsafe a + row + column * n
    }
    func keep(columns: Range<Int>) {
      for column in columns {
        unsafe (band + column * (kd + 1)).update(
          from: at(column, column), count: min(kd, n - 1 - column) + 1)
      }
    }
    let work = Matrix<Double>(rows: 1, columns: kd * kd)
    let factor = Matrix<Double>(rows: kd, columns: kd)
    let small = Matrix<Double>(rows: kd, columns: kd)
    let scaled = Matrix<Double>(rows: kd, columns: n)
    let images = Matrix<Double>(rows: kd, columns: n)
    let usesLoops = BandLoops.areFaster(width: kd)
    let packed = Matrix<Double>(overwritten: 1, by: usesLoops ? BandLoops.elements(order: n) : 1)
    guard let packed = unsafe packed.storage.baseAddress,
      let work = unsafe work.storage.baseAddress, let t = unsafe factor.storage.baseAddress,
      let s = unsafe small.storage.baseAddress, let vt = unsafe scaled.storage.baseAddress,
      let w = unsafe images.storage.baseAddress
    else { return }
    for first in stride(from: 0, to: n - kd, by: kd) {
      // 1. The panel below the band is Q R: R belongs to the band, Q stays as reflectors V, T.
      let start = first + kd
      var (rows, columns, lda, info): (Int32, Int32, Int32, Int32) = (
        Int32(n - start), width, order, 0
      )
      var (count, workSize) = (min(rows, columns), Int32(kd * kd))
      let v = unsafe at(start, first)
      unsafe dgeqrf_(&rows, &columns, v, &lda, scales + first, work, &workSize, &info)
      precondition(info == 0, "dgeqrf: argument \(-info) is invalid")
      keep(columns: first..<first + Int(count))
      for column in 0..<Int(count) {
        for row in 0..<column { unsafe v[row + column * n] = 0 }
        unsafe v[column + column * n] = 1
      }
      unsafe dlarft_("F", "C", &rows, &count, v, &lda, scales + first, t, &columns, 1, 1)
      let panel = unsafe Panel(v: v, t: t, lda: lda, rows: rows, count: count, width: columns)
      if usesLoops && Int(count) == kd {
        unsafe updateByLoops(at(start, start), panel, vt, w, s, packed)
      } else {
        unsafe update(at(start, start), panel, vt, w, s)
      }
    }
    keep(columns: n - kd..<n)
  }

  /// Reflectors V [rows, count] and T of their block, by columns.
  @safe private struct Panel {
    let v: UnsafePointer<Double>
    let t: UnsafePointer<Double>
    let lda: Int32
    let rows: Int32
    let count: Int32
    /// The rows of T's storage.
    let width: Int32
  }

  /// A := Qᵀ A Q for the Q of the panel: W = A V T − ½ V (V T)ᵀ A V T and A −= V Wᵀ + W Vᵀ.
  private static func update(
    _ a: UnsafeMutablePointer<Double>, _ panel: Panel, _ vt: UnsafeMutablePointer<Double>,
    _ w: UnsafeMutablePointer<Double>, _ s: UnsafeMutablePointer<Double>
  ) {
    let (lda, rows, count, width) = (panel.lda, panel.rows, panel.count, panel.width)
    unsafe cblas_dgemm(
      CblasColMajor, CblasNoTrans, CblasNoTrans, rows, count, count, 1, panel.v, lda, panel.t,
      width,
      0, vt, rows)
    unsafe multiply(a, lda, rows, by: vt, count, into: w)
    unsafe cblas_dgemm(
      CblasColMajor, CblasTrans, CblasNoTrans, count, count, rows, 1, vt, rows, w, rows, 0, s, width
    )
    unsafe cblas_dgemm(
      CblasColMajor, CblasNoTrans, CblasNoTrans, rows, count, count, -0.5, panel.v, lda, s, width,
      1,
      w, rows)
    unsafe cblas_dsyr2k(
      CblasColMajor, CblasLower, CblasNoTrans, rows, count, -1, panel.v, lda, w, rows, 1, a, lda)
  }

  /// The same by loops of our own, V T and W by rows.
  private static func updateByLoops(
    _ a: UnsafeMutablePointer<Double>, _ panel: Panel, _ vt: UnsafeMutablePointer<Double>,
    _ w: UnsafeMutablePointer<Double>, _ s: UnsafeMutablePointer<Double>,
    _ packed: UnsafeMutablePointer<Double>
  ) {
    let (lda, rows, count) = (panel.lda, panel.rows, panel.count)
    unsafe cblas_dgemm(
      CblasColMajor, CblasTrans, CblasTrans, count, rows, count, 1, panel.t, count, panel.v, lda, 0,
      vt, count)
    unsafe BandLoops.multiply(a, Int(rows), Int(lda), by: vt, into: w)
    unsafe cblas_dgemm(
      CblasColMajor, CblasNoTrans, CblasTrans, count, count, rows, 1, vt, count, w, count, 0, s,
      count)
    unsafe cblas_dgemm(
      CblasColMajor, CblasTrans, CblasTrans, count, rows, count, -0.5, s, count, panel.v, lda, 1, w,
      count)
    unsafe BandLoops.subtractOuter(a, Int(rows), Int(lda), panel.v, w, packed)
  }

  /// Columns and rows that `multiply` takes together: A is read from the cache the second time.
  private static let productTile: Int32 = 256

  /// C := A B for the lower triangle of A [order, order] and B [order, columns], all by columns.
  ///
  /// Tiles off the diagonal serve twice, as they are and transposed. `symm` does the same in one call and
  /// is slower, since it gathers both halves of what it packs an element at a time.
  private static func multiply(
    _ a: UnsafePointer<Double>, _ lda: Int32, _ order: Int32, by b: UnsafePointer<Double>,
    _ columns: Int32, into c: UnsafeMutablePointer<Double>
  ) {
    for first in stride(from: 0, to: order, by: Int(productTile)) {
      let size = min(productTile, order - first)
      let (below, start) = (order - first - size, Int(first + size))
      let beta = first == 0 ? 0.0 : 1.0
      let tile = unsafe a + Int(first) * (Int(lda) + 1)
      unsafe cblas_dsymm(
        CblasColMajor, CblasLeft, CblasLower, size, columns, 1, tile, lda, b + Int(first), order,
        beta, c + Int(first), order)
      guard below > 0 else { return }
      unsafe cblas_dgemm(
        CblasColMajor, CblasNoTrans, CblasNoTrans, below, columns, size, 1, tile + Int(size), lda,
        b + Int(first), order, beta, c + start, order)
      unsafe cblas_dgemm(
        CblasColMajor, CblasTrans, CblasNoTrans, size, columns, below, 1, tile + Int(size), lda,
        b + start, order, 1, c + Int(first), order)
    }
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
