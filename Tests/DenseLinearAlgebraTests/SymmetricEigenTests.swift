import DenseLinearAlgebra
import TestSupport
import Testing

@Suite("Symmetric eigendecomposition")
struct SymmetricEigenTests {
  /// XᵀX / order of normal X: positive semidefinite.
  private func symmetric<Element: LinearAlgebraElement>(
    _ order: Int, _ generator: inout SeededGenerator, as type: Element.Type
  ) -> Matrix<Element> {
    let values = (0..<order * order).map { _ in Element(generator.normal()) }
    let x = Matrix(rows: order, columns: order, elements: values)
    return product(x, transposedA: true, x)
  }

  private func residual<Element: LinearAlgebraElement>(
    _ order: Int, seed: UInt64, as type: Element.Type
  ) throws -> (reconstruction: Double, orthogonality: Double) {
    var generator = SeededGenerator(seed: seed)
    let matrix = symmetric(order, &generator, as: type)
    let norm = matrix.sumOfSquares.squareRoot()
    let eigen = try SymmetricEigen(decomposing: matrix.copy())
    #expect(eigen.values == eigen.values.sorted())
    // Qᵀ A Q − diag(w) and Qᵀ Q − I, with Qᵀ held in rows.
    var rotated = product(product(eigen.vectorRows, matrix), eigen.vectorRows, transposedB: true)
    var gram = product(eigen.vectorRows, eigen.vectorRows, transposedB: true)
    for index in 0..<order {
      rotated[index, index] -= eigen.values[index]
      gram[index, index] -= 1
    }
    return (rotated.sumOfSquares.squareRoot() / max(norm, 1), gram.sumOfSquares.squareRoot())
  }

  @Test("A is diagonal in its eigenbasis, which is orthogonal", arguments: [0, 1, 2, 17, 90])
  func reconstruction(order: Int) throws {
    let double = try residual(order, seed: 5, as: Double.self)
    let tolerance = 8 * Double(order + 1)
    #expect(double.reconstruction <= tolerance * 0x1p-52)
    #expect(double.orthogonality <= tolerance * 0x1p-52)
    let single = try residual(order, seed: 6, as: Float.self)
    #expect(single.reconstruction <= tolerance * 0x1p-23)
    #expect(single.orthogonality <= tolerance * 0x1p-23)
  }

  @Test("Known eigenvalues come out in ascending order")
  func knownValues() throws {
    let matrix = Matrix<Double>(rows: 2, columns: 2, elements: [2, 1, 1, 2])
    let eigen = try SymmetricEigen(decomposing: matrix)
    #expect(abs(eigen.values[0] - 1) < 1e-15 && abs(eigen.values[1] - 3) < 1e-15)
  }

  @Test("An element that is not finite is named")
  func notFinite() {
    let elements: [Double] = [1, 0, .nan, 1]
    #expect(throws: LinearAlgebraError.notFinite(order: 2, row: 1, column: 0)) {
      let matrix = Matrix<Double>(rows: 2, columns: 2, elements: elements)
      _ = try SymmetricEigen(decomposing: matrix)
    }
  }
}
