import DenseLinearAlgebra
import TestSupport
import Testing

@Suite("Singular values")
struct SingularValuesTests {
  private let shapes = [(0, 0), (0, 5), (1, 1), (1, 7), (7, 1), (17, 17), (40, 130), (130, 40)]

  /// A − 2 v vᵀ A / vᵀv: a reflection of the rows, which leaves singular values alone.
  private func reflectRows<Element: LinearAlgebraElement>(
    _ a: inout Matrix<Element>, _ generator: inout SeededGenerator
  ) {
    let v = (0..<a.rows).map { _ in generator.uniform(in: -1...1) }
    let norm = v.reduce(0) { $0 + $1 * $1 }
    for column in 0..<a.columns {
      var product = 0.0
      for row in 0..<a.rows { product += v[row] * Double(a[row, column]) }
      for row in 0..<a.rows {
        a[row, column] = Element(Double(a[row, column]) - 2 * v[row] * product / norm)
      }
    }
  }

  /// The largest error relative to σ₁ for a matrix made of known σ by reflections.
  private func errorOfKnown<Element: LinearAlgebraElement>(
    _ rows: Int, _ columns: Int, seed: UInt64, as type: Element.Type
  ) throws -> Double {
    var generator = SeededGenerator(seed: seed)
    let known = (0..<min(rows, columns)).map { 4 / Double(1 + $0 * $0) }
    var matrix = Matrix<Element>(rows: rows, columns: columns)
    for (index, value) in known.enumerated() { matrix[index, index] = Element(value) }
    guard rows > 0 else {
      #expect(try matrix.singularValues().isEmpty)
      return 0
    }
    for _ in 0..<3 { reflectRows(&matrix, &generator) }
    var other = matrix.transposed()
    for _ in 0..<3 { reflectRows(&other, &generator) }
    let found = try other.singularValues().map { Double($0) }
    #expect(found == found.sorted(by: >), "not descending")
    #expect(found.count == known.count && found.allSatisfy { $0 >= 0 })
    return zip(found, known).reduce(0) { max($0, abs($1.0 - $1.1)) } / known[0]
  }

  @Test("Known singular values are found to a few roundings of the largest")
  func known() throws {
    for (rows, columns) in shapes {
      let size = Double(rows + columns + 1)
      let double = try errorOfKnown(rows, columns, seed: 3, as: Double.self)
      #expect(double <= size * 0x1p-53, "\(rows) × \(columns): \(double)")
      let single = try errorOfKnown(rows, columns, seed: 4, as: Float.self)
      #expect(single <= size * 0x1p-24, "\(rows) × \(columns): \(single)")
    }
  }

  @Test("Their squares add up to the sum of squares, and are the eigenvalues of A Aᵀ")
  func squares() throws {
    var generator = SeededGenerator(seed: 5)
    for (rows, columns) in shapes where rows > 0 {
      let matrix = Matrix<Double>.random(rows: rows, columns: columns, &generator)
      let norm = matrix.sumOfSquares
      let gram =
        rows <= columns
        ? product(matrix, matrix, transposedB: true) : product(matrix, transposedA: true, matrix)
      let eigenvalues = Array(try SymmetricEigen(decomposing: gram).values.reversed())
      let values = try matrix.singularValues()
      let sum = values.reduce(0) { $0 + $1 * $1 }
      #expect(abs(sum - norm) <= 1e-13 * norm)
      for (value, eigenvalue) in zip(values, eigenvalues) {
        #expect(abs(value * value - eigenvalue) <= 1e-13 * norm)
      }
    }
  }

  @Test("What eigenvalues of A Aᵀ lose in single precision is kept")
  func smallOnes() throws {
    // σ = 1 and 1e-5: its square is below one rounding of 1.
    let matrix = Matrix<Float>(rows: 2, columns: 2, elements: [1, 1e-5, 0, 1e-5])
    let values = try matrix.singularValues().map { Double($0) }
    #expect(abs(values[0] - 1) < 1e-6)
    #expect(abs(values[1] - 1e-5) < 1e-7, "\(values)")
  }

  @Test("The same matrix gives the same bits")
  func deterministic() throws {
    var generator = SeededGenerator(seed: 6)
    let matrix = Matrix<Double>.random(rows: 60, columns: 90, &generator)
    let first = try matrix.copy().singularValues()
    let second = try matrix.copy().singularValues()
    #expect(first == second)
  }
}
