import DenseLinearAlgebra
import TestSupport
import Testing

@Suite("Reduction to a band, and solves with shifts of it")
struct BandReductionTests {
  /// Orders around the widths and the blocks of 128 reflectors, and the ends of blocks of four rows.
  private static let orders = [0, 1, 2, 3, 5, 8, 31, 33, 34, 35, 67, 130, 162, 293]

  private func semidefinite(
    _ order: Int, rank: Int, _ generator: inout SeededGenerator
  ) -> Matrix<Double> {
    let x = Matrix<Double>.random(rows: order, columns: rank, &generator)
    var result = product(x, x, transposedB: true)
    _ = result.symmetrize()
    return result
  }

  private func identity(_ order: Int) -> Matrix<Double> {
    .diagonal(.init(repeating: 1, count: order))
  }

  /// ‖A − B‖_F / ‖A‖_F.
  private func distance(_ a: borrowing Matrix<Double>, _ b: borrowing Matrix<Double>) -> Double {
    var sum = 0.0
    for i in 0..<a.rows {
      for j in 0..<a.columns { sum += (a[i, j] - b[i, j]) * (a[i, j] - b[i, j]) }
    }
    return sum == 0 ? 0 : (sum / a.sumOfSquares).squareRoot()
  }

  @Test("Q is orthogonal and A = Q B Qᵀ", arguments: orders, [1, 2, 3, 4, 7, 32])
  func similarity(order: Int, width: Int) throws {
    var generator = SeededGenerator(seed: 501, stream: UInt64(1000 * width + order))
    let matrix = semidefinite(order, rank: order + 1, &generator)
    let reduction = try BandReduction(reducing: matrix.copy(), width: width)
    var q = identity(order)
    reduction.carry(&q)
    let gram = product(q, q, transposedB: true)
    #expect(distance(identity(order), gram) < 1e-13)
    let rebuilt = product(product(q, reduction.band.matrix()), q, transposedB: true)
    #expect(distance(matrix, rebuilt) < 1e-13)
  }

  @Test("Whitened rows have the inner products of a dense solve")
  func whitening() throws {
    try forEachCase(seed: 502, cases: 60) { generator, _ in
      let (order, width) = (generator.integer(in: 1...70), generator.integer(in: 1...34))
      let matrix = semidefinite(order, rank: generator.integer(in: 1...order + 1), &generator)
      let band = try BandReduction(reducing: matrix, width: width).band
      let dense = band.matrix()
      let count = generator.integer(in: 1...9)
      let scale = generator.logNormal(scale: 2)
      let shift = generator.logNormal(scale: 2)
      let rows = Matrix<Double>.random(rows: count, columns: order, &generator)

      // All rows alike, so that they share a metric.
      var whitened = rows.copy()
      try band.whiten(&whitened, scales: .init(repeating: scale, count: count), shift: shift)
      var damped = dense.copy()
      damped.scale(by: scale)
      damped.addToDiagonal(shift)
      let factor = try CholeskyFactor(factorizing: damped)
      var expected = rows.copy()
      factor.solveFromRightTransposed(&expected)
      let error = distance(
        product(expected, expected, transposedB: true),
        product(whitened, whitened, transposedB: true))
      try require(error < 1e-12 / factor.reciprocalCondition, "\(error), order \(order)")

      // Each with its own scale: the same bits as alone, in whatever lane.
      let scales = (0..<count).map { _ in generator.logNormal(scale: 2) }
      var together = rows.copy()
      try band.whiten(&together, scales: scales, shift: shift)
      for row in 0..<count {
        var alone = rows.rows(row..<row + 1)
        try band.whiten(&alone, scales: [scales[row]], shift: shift)
        try require(
          alone.elements() == together.rows(row..<row + 1).elements(), "row \(row) of \(count)")
      }
    }
  }

  @Test("A matrix that is not positive definite is refused, with its leading minor")
  func indefinite() throws {
    var values = [Double](repeating: 1, count: 50)
    values[37] = -2
    let band = try BandReduction(reducing: Matrix<Double>.diagonal(values), width: 5).band
    var rows = Matrix<Double>(rows: 6, columns: 50)
    // −2 + 3 > 0 and 2 · (−2) + 3 < 0.
    #expect(throws: Never.self) {
      try band.whiten(&rows, scales: .init(repeating: 1, count: 6), shift: 3)
    }
    do {
      try band.whiten(&rows, scales: [1, 1, 1, 1, 1, 2], shift: 3)
      Issue.record("accepted")
    } catch {
      guard case .notPositiveDefinite(50, _) = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test("Eigenvalues are those of A, and the bounds hold them")
  func spectrum() throws {
    try forEachCase(seed: 503, cases: 40) { generator, _ in
      let (order, width) = (generator.integer(in: 1...80), generator.integer(in: 1...34))
      var matrix = semidefinite(order, rank: generator.integer(in: 1...order), &generator)
      matrix.addToDiagonal(generator.integer(in: 0...1) == 0 ? 0 : 0.5)
      let exact = try SymmetricEigen(decomposing: matrix.copy()).values
      let band = try BandReduction(reducing: matrix, width: width).band
      let norm = exact[order - 1]
      for (found, expected) in zip(try band.eigenvalues(), exact) {
        try require(abs(found - expected) <= 1e-13 * norm, "\(found), \(expected)")
      }
      let bounds = try #require(band.semidefiniteBounds(tolerance: 1e-12 * norm))
      try require(bounds.smallest >= 0, "\(bounds)")
      try require(bounds.smallest <= max(exact[0], 0) + 1e-13 * norm, "\(bounds), \(exact[0])")
      try require(bounds.smallest >= exact[0] - 2e-6 * norm, "\(bounds), \(exact[0])")
      try require(bounds.largest >= norm * (1 - 1e-13), "\(bounds), \(norm)")
      try require(bounds.largest <= norm * (1 + 1e-4), "\(bounds), \(norm)")

      var negative = band.matrix()
      negative.addToDiagonal(-exact[0] - 0.01 * norm)
      let lowered = try BandReduction(reducing: negative, width: width).band
      try require(lowered.semidefiniteBounds(tolerance: 1e-9 * norm) == nil, "negative eigenvalue")
    }
  }

  @Test("Nothing but zeros has a band of zeros")
  func zeros() throws {
    let band = try BandReduction(reducing: Matrix<Double>(rows: 40, columns: 40), width: 4).band
    #expect(try band.eigenvalues() == .init(repeating: 0, count: 40))
    #expect(band.largestRowSum == 0)
    var row = Matrix<Double>(rows: 1, columns: 40, elements: .init(repeating: 3, count: 40))
    try band.whiten(&row, scales: [5], shift: 9)
    #expect(row.elements() == .init(repeating: 1, count: 40))
  }

  @Test("An element that is not finite is named", arguments: [Double.nan, .infinity])
  func notFinite(value: Double) {
    var matrix = Matrix<Double>(rows: 50, columns: 50)
    matrix[40, 3] = value
    let broken = matrix
    do {
      _ = try BandReduction(reducing: broken, width: 4)
      Issue.record("accepted")
    } catch {
      #expect(error == .notFinite(order: 50, row: 40, column: 3))
    }
  }
}
