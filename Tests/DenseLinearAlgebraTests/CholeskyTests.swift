import DenseLinearAlgebra
import TestSupport
import Testing

@Suite struct CholeskyTests {
  @Test("L Lᵀ is A to rounding", arguments: Precision.allCases, orders)
  func reconstruction(precision: Precision, order: Int) throws {
    switch precision {
    case .single: try reconstruction(Float.self, order)
    case .double: try reconstruction(Double.self, order)
    }
  }

  private func reconstruction<Element: LinearAlgebraElement>(
    _ type: Element.Type, _ order: Int
  ) throws {
    var generator = SeededGenerator(seed: 2, stream: UInt64(order))
    let a = Matrix<Element>.randomPositiveDefinite(order: order, &generator)
    for (triangle, way) in waysToFactorize(Element.self) {
      let factor = try CholeskyFactor(factorizing: a.copy(), in: triangle, way: way)
      let l = factor.lowerTriangle()
      // |A − L Lᵀ| ≤ γ |L| |Lᵀ|, γ = (n + 1) u to first order, u half of ulpOfOne; twice that here.
      let reference = ReferenceProduct(l, l.transposed())
      #expect(reference.largestError(of: a) <= Double(order + 1) * Double(Element.ulpOfOne))
      #expect(factor.order == order)
      for index in 0..<order { #expect(l[index, index] > 0) }
    }
  }

  @Test("A known factor comes out exactly, and the upper triangle is not read")
  func known() throws {
    // L = [2; 6 1; -8 5 3].
    let a = Matrix<Double>(rows: 3, columns: 3, elements: [4, .nan, 7, 12, 37, .nan, -16, -43, 98])
    let factor = try CholeskyFactor(factorizing: a)
    #expect(factor.lowerTriangle().elements() == [2, 0, 0, 6, 1, 0, -8, 5, 3])
    #expect(factor.oneNorm == 16 + 43 + 98)
  }

  @Test(
    "A matrix that is not positive definite names its first bad leading minor",
    arguments: Precision.allCases, [1, 2, 17, 64, 100, 130])
  func notPositiveDefinite(precision: Precision, minor: Int) {
    switch precision {
    case .single: notPositiveDefinite(Float.self, minor)
    case .double: notPositiveDefinite(Double.self, minor)
    }
  }

  private func notPositiveDefinite<Element: LinearAlgebraElement>(
    _ type: Element.Type, _ minor: Int
  ) {
    var generator = SeededGenerator(seed: 5, stream: UInt64(minor))
    var a = Matrix<Element>.randomPositiveDefinite(order: 130, &generator)
    a[minor - 1, minor - 1] = -1
    for (triangle, way) in waysToFactorize(Element.self) {
      #expect(throws: LinearAlgebraError.notPositiveDefinite(order: 130, leadingMinor: minor)) {
        _ = try CholeskyFactor(factorizing: a.copy(), in: triangle, way: way)
      }
    }
  }

  @Test("Zero, a semidefinite matrix and one that overflows are not positive definite")
  func borderline() {
    func error(_ order: Int, _ elements: [Float]) -> LinearAlgebraError? {
      do {
        _ = try CholeskyFactor(
          factorizing: Matrix<Float>(rows: order, columns: order, elements: elements))
        return nil
      } catch { return error }
    }
    #expect(error(1, [0]) == .notPositiveDefinite(order: 1, leadingMinor: 1))
    #expect(error(2, [1, 1, 1, 1]) == .notPositiveDefinite(order: 2, leadingMinor: 2))
    #expect(error(2, [1e-38, 3e38, 3e38, 1]) == .notPositiveDefinite(order: 2, leadingMinor: 2))
  }

  @Test("The first nan or infinity is named", arguments: [Double.nan, .infinity, -.infinity])
  func notFinite(value: Double) {
    var a = Matrix<Double>.diagonal([1, 1, 1, 1])
    a[3, 0] = value
    a[2, 1] = value
    #expect(throws: LinearAlgebraError.notFinite(order: 4, row: 2, column: 1)) {
      _ = try CholeskyFactor(factorizing: a.copy())
    }
  }

  @Test("A norm that overflows is no error, the condition is then 0")
  func overflowingNorm() throws {
    let a = Matrix<Double>(rows: 2, columns: 2, elements: [1.5e308, 0.5e308, 0.5e308, 1.5e308])
    let factor = try CholeskyFactor(factorizing: a)
    #expect(factor.oneNorm == .infinity && factor.reciprocalCondition == 0)
  }

  @Test("An order beyond 32 bits is an error that states the limit")
  func tooLarge() throws {
    #expect(try blasOrder(Int(Int32.max)) == Int32.max)
    let expected = LinearAlgebraError.tooLarge(order: 2_147_483_648, limit: 2_147_483_647)
    #expect(throws: expected) { try blasOrder(Int(Int32.max) + 1) }
    #expect(expected.description.contains("2147483648 is above 2147483647"))
  }

  @Test("Errors say which minor or element of which order")
  func descriptions() {
    #expect(
      LinearAlgebraError.notPositiveDefinite(order: 9, leadingMinor: 4).description
        == "the leading minor of order 4 of 9 is not positive")
    #expect(
      LinearAlgebraError.notFinite(order: 9, row: 3, column: 2).description
        == "element [3, 2] of a matrix of order 9 is not finite")
  }

  @Test("A matrix that is not square stops the process")
  func notSquare() async {
    await #expect(processExitsWith: .failure) {
      _ = try CholeskyFactor(factorizing: Matrix<Double>(rows: 2, columns: 3))
    }
  }
}
