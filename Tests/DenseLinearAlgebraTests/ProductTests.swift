import DenseLinearAlgebra
import TestSupport
import Testing

@Suite struct ProductTests {
  @Test(
    "A product is that of three loops, for all shapes and transpositions",
    arguments: Precision.allCases,
    [(1, 1, 1), (3, 5, 2), (17, 1, 4), (33, 130, 17), (130, 65, 131)])
  func threeLoops(precision: Precision, shape: (rows: Int, depth: Int, columns: Int)) {
    switch precision {
    case .single: threeLoops(Float.self, shape)
    case .double: threeLoops(Double.self, shape)
    }
  }

  private func threeLoops<Element: LinearAlgebraElement>(
    _ type: Element.Type, _ shape: (rows: Int, depth: Int, columns: Int)
  ) {
    var generator = SeededGenerator(seed: 17)
    let a = Matrix<Element>.random(rows: shape.rows, columns: shape.depth, &generator)
    let b = Matrix<Element>.random(rows: shape.depth, columns: shape.columns, &generator)
    let aT = a.transposed()
    let bT = b.transposed()
    let reference = ReferenceProduct(a, b)
    // Any order of summation: depth roundings at most, each half a unit; one more for the result.
    let limit = Double(shape.depth + 1) * Double(Element.ulpOfOne)
    #expect(reference.largestError(of: product(a, b)) <= limit)
    #expect(reference.largestError(of: product(aT, transposedA: true, b)) <= limit)
    #expect(reference.largestError(of: product(a, bT, transposedB: true)) <= limit)
    #expect(
      reference.largestError(of: product(aT, transposedA: true, bT, transposedB: true)) <= limit)
  }

  @Test("Empty factors give empty products, and a sum over nothing is 0")
  func empty() {
    let tall = Matrix<Double>(rows: 3, columns: 0)
    let wide = Matrix<Double>(rows: 0, columns: 4)
    let zeros = product(tall, wide)
    #expect(zeros.rows == 3 && zeros.columns == 4)
    #expect(zeros.elements() == [Double](repeating: 0, count: 12))
    let nothing = product(wide, transposedA: true, wide)
    #expect(nothing.rows == 4 && nothing.columns == 4 && nothing.sumOfSquares == 0)
    let none = product(wide, Matrix<Double>(rows: 4, columns: 2))
    #expect(none.rows == 0 && none.columns == 2)
  }

  @Test("Nan and infinity go through a product")
  func notFinite() {
    let a = Matrix<Float>(rows: 1, columns: 2, elements: [.nan, 1])
    let b = Matrix<Float>(rows: 2, columns: 1, elements: [0, 1])
    #expect(product(a, b)[0, 0].isNaN)
  }

  @Test("Shapes that do not fit stop the process")
  func misfit() async {
    await #expect(processExitsWith: .failure) {
      _ = product(Matrix<Float>(rows: 2, columns: 3), Matrix<Float>(rows: 2, columns: 3))
    }
  }
}
