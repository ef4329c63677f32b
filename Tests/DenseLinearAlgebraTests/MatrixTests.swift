import DenseLinearAlgebra
import TestSupport
import Testing

@Suite struct MatrixTests {
  @Test("Elements are row-major, and every way to reach them agrees")
  func layout() {
    var matrix = Matrix<Float>(rows: 2, columns: 3, elements: [0, 1, 2, 10, 11, 12])
    matrix[1, 2] += 0.5
    matrix.withMutableSpan { $0[0] = -7 }
    #expect(matrix.rows == 2 && matrix.columns == 3 && matrix.count == 6)
    #expect(matrix[1, 0] == 10)
    #expect(matrix.elements() == [-7, 1, 2, 10, 11, 12.5])
    #expect(matrix.withSpan { span in span.indices.map { span[$0] } } == matrix.elements())
  }

  @Test("A new matrix is zero, and so is what an initializer leaves alone")
  func zeros() {
    let zeros = Matrix<Double>(rows: 3, columns: 5)
    let partly = Matrix<Double>(rows: 2, columns: 2) { $0[1] = 4 }
    #expect(zeros.elements() == [Double](repeating: 0, count: 15))
    #expect(partly.elements() == [0, 4, 0, 0])
  }

  @Test("An initializer's typed error comes out, and nothing leaks or is freed twice")
  func throwingInitializer() throws {
    func make(_ error: LinearAlgebraError?) throws(LinearAlgebraError) -> Matrix<Float> {
      try Matrix(rows: 40, columns: 40) { (span) throws(LinearAlgebraError) in
        span[0] = 1
        if let error { throw error }
      }
    }
    let expected = LinearAlgebraError.tooLarge(order: 3, limit: 2)
    #expect(throws: expected) { _ = try make(expected) }
    let made = try make(nil)
    #expect(made[0, 0] == 1)
  }

  @Test("A copy has the same elements and a life of its own")
  func copies() {
    var original = Matrix<Double>(rows: 1, columns: 2, elements: [1, 2])
    let copy = original.copy()
    original[0, 0] = 9
    #expect(copy.elements() == [1, 2])
  }

  @Test("Storage is aligned to 64 bytes, also of odd sizes", arguments: [1, 7, 129])
  func alignment(count: Int) {
    let matrix = Matrix<Float>(rows: 1, columns: count)
    let address = matrix.withSpan { span in
      unsafe span.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
    }
    #expect(address % 64 == 0)
  }

  @Test("Matrices with a side of 0 work", arguments: [(0, 0), (0, 4), (3, 0)])
  func empty(rows: Int, columns: Int) {
    var matrix = Matrix<Double>(rows: rows, columns: columns)
    matrix.scale(by: 2)
    matrix.addToDiagonal(1)
    #expect(matrix.count == 0 && matrix.elements().isEmpty && matrix.copy().rows == rows)
    #expect(matrix.trace == 0 && matrix.sumOfSquares == 0)
    #expect(matrix.transposed().rows == columns)
    #expect(matrix.converted(to: Float.self).columns == columns)
  }

  @Test("A matrix moves to another task")
  func sendable() async {
    let matrix = Matrix<Double>(rows: 2, columns: 2, elements: [1, 2, 3, 4])
    let sum = await Task.detached { matrix.trace }.value
    #expect(sum == 5)
  }

  @Test("An element outside stops the process")
  func outside() async {
    await #expect(processExitsWith: .failure) {
      let matrix = Matrix<Double>(rows: 2, columns: 3)
      _ = matrix[1, 3]
    }
    await #expect(processExitsWith: .failure) {
      var matrix = Matrix<Double>(rows: 2, columns: 3)
      matrix[-1, 2] = 1
    }
  }

  @Test("A wrong number of elements and an impossible size stop the process")
  func impossible() async {
    await #expect(processExitsWith: .failure) {
      _ = Matrix<Double>(rows: 2, columns: 3, elements: [1, 2, 3])
    }
    await #expect(processExitsWith: .failure) {
      _ = Matrix<Double>(rows: Int.max, columns: 3)
    }
    await #expect(processExitsWith: .failure) {
      _ = Matrix<Double>(rows: -1, columns: -3)
    }
  }

  @Test(
    "Transposing exchanges the indices and undoes itself",
    arguments: [(1, 9), (17, 130), (64, 16)])
  func transposing(rows: Int, columns: Int) {
    var generator = SeededGenerator(seed: 3)
    let matrix = Matrix<Float>.random(rows: rows, columns: columns, &generator)
    let transposed = matrix.transposed()
    for row in 0..<rows {
      for column in 0..<columns where matrix[row, column] != transposed[column, row] {
        Issue.record("element [\(row), \(column)]")
      }
    }
    #expect(transposed.transposed().elements() == matrix.elements())
  }

  @Test("Converting up is exact, converting down rounds to nearest and overflows to infinity")
  func converting() {
    let wide = Matrix<Double>(rows: 1, columns: 4, elements: [0.1, -3, 1e300, 0x1p-160])
    let narrow = wide.converted(to: Float.self)
    #expect(narrow.elements() == [0.1, -3, .infinity, 0])
    #expect(narrow.converted(to: Double.self).elements() == [Double(Float(0.1)), -3, .infinity, 0])
    #expect(wide.converted(to: Double.self).elements() == wide.elements())
  }
}
