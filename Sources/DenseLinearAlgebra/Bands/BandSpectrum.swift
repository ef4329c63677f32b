extension SymmetricBand {
  /// maxᵢ Σⱼ |Bᵢⱼ|, no smaller than any eigenvalue's size.
  public var largestRowSum: Double {
    var sums = [Double](repeating: 0, count: order)
    for i in 0..<order {
      for j in max(i - width, 0)...i {
        let size = abs(rows[i * (width + 1) + j - i + width])
        sums[i] += size
        if j < i { sums[j] += size }
      }
    }
    return sums.max() ?? 0
  }

  /// Bounds on the extreme eigenvalues, each within 2⁻²⁰ of the interval it is searched in; nil where one
  /// is below −tolerance.
  ///
  /// `smallest` ≥ 0 is no larger than the smallest eigenvalue, or 0; `largest` no smaller than the largest.
  /// Found without any eigenvalue: μ is above all of them if μ I − B has a Cholesky factor.
  /// - Complexity: some 80 order width² flops.
  public func semidefiniteBounds(tolerance: Double) -> (smallest: Double, largest: Double)? {
    guard order > 0 else { return (0, 0) }
    var window = BandWindow(of: self)
    guard isPositiveDefinite(scales: 1, shifts: tolerance, in: &window) else { return nil }
    let diagonal = (0..<order).map { rows[$0 * (width + 1) + width] }
    let largest = search(from: largestRowSum, to: diagonal.max() ?? 0) {
      isPositiveDefinite(scales: -1, shifts: $0, in: &window)
    }
    let smallest = search(from: 0, to: diagonal.min() ?? 0) {
      isPositiveDefinite(scales: 1, shifts: -$0, in: &window)
    }
    return (smallest, largest)
  }

  /// The point nearest to `end` known to hold, `start` holding: four trials at a time.
  private func search(
    from start: Double, to end: Double, holds: (SIMD4<Double>) -> SIMDMask<SIMD4<Int64>>
  ) -> Double {
    var (good, bad) = (start, end)
    let enough = abs(end - start) * 0x1p-20
    while abs(bad - good) > enough {
      let step = (bad - good) / 5
      let trials = SIMD4(1, 2, 3, 4) * step + good
      let answers = holds(trials)
      let count = (0..<4).first { !answers[$0] } ?? 4
      if count < 4 { bad = trials[count] }
      if count > 0 { good = trials[count - 1] }
    }
    return good
  }

  private func isPositiveDefinite(
    scales: Double, shifts: SIMD4<Double>, in window: inout BandWindow
  ) -> SIMDMask<SIMD4<Int64>> {
    window.clear()
    return window.factorize(self, scales: SIMD4(repeating: scales), shifts: shifts)
      .== SIMD4(repeating: Int64(order))
  }

  private func isPositiveDefinite(
    scales: Double, shifts: Double, in window: inout BandWindow
  ) -> Bool {
    all(isPositiveDefinite(scales: scales, shifts: SIMD4(repeating: shifts), in: &window))
  }

  /// All eigenvalues, ascending, by a tridiagonal matrix.
  ///
  /// - Throws: `notConverged` where LAPACK's sterf gives up.
  /// - Complexity: about 6 order² width flops, a rotation at a time; slower than many solves.
  public func eigenvalues() throws(LinearAlgebraError) -> [Double] {
    guard order > 0 else { return [] }
    let kept = min(width, order - 1)
    var columns = Matrix<Double>(rows: order, columns: kept + 1)
    for i in 0..<order {
      for j in max(i - kept, 0)...i { columns[j, i - j] = rows[i * (width + 1) + j - i + width] }
    }
    let values = Matrix<Double>(rows: 1, columns: order)
    guard let base = unsafe columns.storage.baseAddress,
      let target = unsafe values.storage.baseAddress
    else { return [] }
    let info = unsafe BandKernels.eigenvalues(
      base, order: try blasOrder(order), width: Int32(kept), values: target)
    guard info == 0 else { throw .notConverged(order: order, info: Int(info)) }
    return values.elements()
  }
}
