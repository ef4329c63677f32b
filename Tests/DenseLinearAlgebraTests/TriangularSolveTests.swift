import DenseLinearAlgebra
import TestSupport
import Testing

@Suite struct TriangularSolveTests {
  @Test(
    "L X = B and X Lᵀ = B are solved to rounding, for right-hand sides of all widths",
    arguments: Precision.allCases, orders)
  func residuals(precision: Precision, order: Int) throws {
    for width in [0, 1, 3, 40] {
      switch precision {
      case .single: try residuals(Float.self, order, width: width)
      case .double: try residuals(Double.self, order, width: width)
      }
    }
  }

  private func residuals<Element: LinearAlgebraElement>(
    _ type: Element.Type, _ order: Int, width: Int
  ) throws {
    var generator = SeededGenerator(seed: 23, stream: UInt64(order * 100 + width))
    let a = Matrix<Element>.randomPositiveDefinite(order: order, &generator)
    let tall = Matrix<Element>.random(rows: order, columns: width, &generator)
    let wide = Matrix<Element>.random(rows: width, columns: order, &generator)
    for (triangle, way) in waysToFactorize(Element.self) {
      let factor = try CholeskyFactor(factorizing: a.copy(), in: triangle, way: way)
      let l = factor.lowerTriangle()
      // Substitution: |L X − B| ≤ γ |L| |X|, γ = n u to first order, u half of ulpOfOne. Twice that,
      // and 2 more, because OpenBLAS multiplies by reciprocals of the diagonal. With inverses of blocks
      // on the diagonal the residual may be as much larger as those blocks are ill-conditioned.
      let limit = Double(order + 2) * Double(Element.ulpOfOne) * (way == .lapack ? 1 : 4)

      var x = tall.copy()
      factor.solveFromLeft(&x)
      #expect(ReferenceProduct(l, x).largestError(of: tall) <= limit)
      var y = wide.copy()
      factor.solveFromRightTransposed(&y)
      #expect(ReferenceProduct(y, l.transposed()).largestError(of: wide) <= limit)
    }
  }

  @Test("Known solutions come out exactly")
  func known() throws {
    // L = [2 0; 6 1].
    let factor = try CholeskyFactor(
      factorizing: Matrix<Float>(rows: 2, columns: 2, elements: [4, 12, 12, 37]))
    var column = Matrix<Float>(rows: 2, columns: 1, elements: [2, 7])
    factor.solveFromLeft(&column)
    #expect(column.elements() == [1, 1])
    var rows = Matrix<Float>(rows: 2, columns: 2, elements: [2, 7, 4, 12])
    factor.solveFromRightTransposed(&rows)
    #expect(rows.elements() == [1, 1, 2, 0])
  }

  @Test("L⁻¹ A L⁻ᵀ is the identity", arguments: [1, 17, 130])
  func whitening(order: Int) throws {
    var generator = SeededGenerator(seed: 37, stream: UInt64(order))
    var a = Matrix<Double>.randomPositiveDefinite(order: order, shift: 1, &generator)
    let factor = try CholeskyFactor(factorizing: a.copy())
    factor.solveFromLeft(&a)
    factor.solveFromRightTransposed(&a)
    a.addToDiagonal(-1)
    // Each step is off by n ulp relative to ‖L‖ ‖L⁻¹‖ ≤ √κ in the 2-norm, κ ≤ 7/3 here, so less
    // than 3 n √n ulp in the Frobenius norm; ten times that is far from a wrong result.
    let n = Double(order)
    #expect(a.sumOfSquares.squareRoot() <= 30 * n * n.squareRoot() * .ulpOfOne)
  }

  @Test("A right-hand side that does not fit stops the process")
  func misfit() async {
    await #expect(processExitsWith: .failure) {
      let factor = try CholeskyFactor(factorizing: Matrix<Double>.diagonal([1]))
      var b = Matrix<Double>(rows: 2, columns: 1)
      factor.solveFromLeft(&b)
    }
  }
}
