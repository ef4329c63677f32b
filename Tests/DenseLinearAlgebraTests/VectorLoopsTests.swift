import CVectorLoops
import DenseLinearAlgebra
import TestSupport
import Testing

/// The loops in C beside plain ones, bit by bit, with the instructions of the build and with AVX2.
@Suite("Loops in C", .serialized) struct VectorLoopsTests {
  /// Does it with either set of instructions; on a processor without AVX2 twice with the same.
  func withEitherInstructions(_ body: () throws -> Void) rethrows {
    defer { cvec_allow_avx2(true) }
    for isAllowed in [false, true] {
      cvec_allow_avx2(isAllowed)
      try body()
    }
  }

  @Test("Sums of products have the bits of eight running sums", arguments: Precision.allCases)
  func dots(precision: Precision) {
    switch precision {
    case .single: dots(Float.self)
    case .double: dots(Double.self)
    }
  }

  private func dots<Element: LinearAlgebraElement>(_ type: Element.Type) {
    forEachCase(seed: 61, cases: 60) { generator, _ in
      let count = generator.integer(in: 0...90)
      let a: [Element] = numbers(count, &generator)
      let b: [Element] = numbers(count, &generator)
      withEitherInstructions {
        #expect(dot(a.span, b.span).bitPattern == PlainLoops.dot(a, b).bitPattern)
      }
    }
  }

  @Test(
    "Norms of a symmetric matrix have those bits, and a nan wins", arguments: Precision.allCases)
  func norms(precision: Precision) {
    switch precision {
    case .single: norms(Float.self)
    case .double: norms(Double.self)
    }
  }

  private func norms<Element: LinearAlgebraElement>(_ type: Element.Type) {
    forEachCase(seed: 62, cases: 40) { generator, number in
      let order = 8 * generator.integer(in: 1...6)
      var matrix = Matrix<Element>.random(rows: order, columns: order, &generator)
      _ = matrix.symmetrize()
      if number % 4 == 0 {
        let place = generator.integer(in: 0...order - 1)
        matrix[place, place] = .nan
      }
      let elements = matrix.elements()
      withEitherInstructions {
        let found = matrix.symmetricNorms()
        guard number % 4 != 0 else {
          #expect(found.one.isNaN && found.sumOfSquares.isNaN)
          return
        }
        #expect(found.sumOfSquares.bitPattern == PlainLoops.dot(elements, elements).bitPattern)
        let largest = PlainLoops.largestRowSum(elements, columns: order)
        #expect(found.one.bitPattern == largest.bitPattern)
      }
    }
  }

  @Test("One bit in one place is not symmetric, wherever it is", arguments: Precision.allCases)
  func symmetry(precision: Precision) {
    switch precision {
    case .single: symmetry(Float.self)
    case .double: symmetry(Double.self)
    }
  }

  private func symmetry<Element: LinearAlgebraElement>(_ type: Element.Type) {
    var generator = SeededGenerator(seed: 63)
    for order in [0, 1, 2, 7, 8, 9, 15, 16, 17, 33, 40] {
      var matrix = Matrix<Element>.random(rows: order, columns: order, &generator)
      _ = matrix.symmetrize()
      let isSymmetric = matrix.isSymmetricBitByBit
      #expect(isSymmetric)
      for row in 0..<order {
        for column in 0..<order where row != column {
          let kept = matrix[row, column]
          matrix[row, column] = kept.nextUp
          let isSymmetric = matrix.isSymmetricBitByBit
          #expect(!isSymmetric, "order \(order), [\(row), \(column)]")
          matrix[row, column] = kept
        }
      }
    }
  }

  @Test("Solves have the bits of plain ones, one vector or two, from any element on")
  func solves() {
    forEachCase(seed: 64, cases: 80) { generator, _ in
      let order = generator.integer(in: 1...70)
      let first = generator.integer(in: 0...order - 1)
      func start<Element: LinearAlgebraElement>() -> [Element] {
        numbers(order, &generator).enumerated().map { $0.offset < first ? 0 : $0.element }
      }
      // Small beside the diagonal, so that nothing grows out of range.
      func factor<Element: LinearAlgebraElement>() -> [Element] {
        let elements: [Element] = numbers(order * order, &generator)
        return elements.enumerated().map { index, element in
          index % (order + 1) == 0 ? 1 + abs(element) : element / 16
        }
      }
      let (single, double): ([Float], [Double]) = (factor(), factor())
      let (x, y, z, w): ([Float], [Float], [Double], [Double]) = (
        start(), start(), start(), start()
      )
      var (expectedX, expectedY, expectedZ, expectedW) = (x, y, z, w)
      PlainLoops.solve(single, order: order, &expectedX, from: first)
      PlainLoops.solve(single, order: order, &expectedY, from: first)
      PlainLoops.solve(double, order: order, &expectedZ, from: first)
      PlainLoops.solve(double, order: order, &expectedW, from: first)
      withEitherInstructions {
        var (a, b, alone) = (x, y, x)
        unsafe cvec_solve_f32(single, order, &a, &b, first)
        unsafe cvec_solve_f32(single, order, &alone, nil, first)
        #expect(a == expectedX && b == expectedY && alone == expectedX, "\(order), \(first)")
        var (c, d, one) = (z, w, w)
        unsafe cvec_solve_f64(double, order, &c, &d, first)
        unsafe cvec_solve_f64(double, order, &one, nil, first)
        #expect(c == expectedZ && d == expectedW && one == expectedW, "\(order), \(first)")
      }
    }
  }

  @Test(
    "A block's factor times itself is the block, and times its inverse 1; either set, the same bits"
  )
  func blocks() {
    forEachCase(seed: 65, cases: 60) { generator, _ in
      let (count, apart) = (generator.integer(in: 1...33), generator.integer(in: 33...40))
      let a = Matrix<Double>.randomPositiveDefinite(order: count, &generator)
      var rows = [Double](repeating: 7, count: count * apart)
      for i in 0..<count { for j in i..<count { rows[i * apart + j] = a[i, j] } }
      var results: [[Double]] = []
      withEitherInstructions {
        var (factor, inverse) = (rows, [Double](repeating: 0, count: count * 33))
        #expect(unsafe cvec_factorize_f64(&factor, count, apart) == count)
        unsafe cvec_invert_f64(factor, count, apart, &inverse, 33)
        let upper = Matrix<Double>(rows: count, columns: count) { i, j in
          i <= j ? factor[i * apart + j] : 0
        }
        let other = Matrix<Double>(rows: count, columns: count) { i, j in inverse[i * 33 + j] }
        let square = product(upper, transposedA: true, upper)
        let one = product(upper, other)
        for i in 0..<count {
          for j in 0..<count {
            #expect(abs(square[i, j] - a[i, j]) <= 1e-14)
            #expect(abs(one[i, j] - (i == j ? 1 : 0)) <= 1e-12)
            // What is not of the upper triangle stays.
            #expect(j >= i || factor[i * apart + j] == 7)
          }
        }
        results.append(factor + inverse)
      }
      #expect(results[0] == results[1])

      let bad = generator.integer(in: 0...count - 1)
      rows[bad * apart + bad] = -1
      #expect(unsafe cvec_factorize_f64(&rows, count, apart) == bad)
    }
  }

  /// Uniform in −1...1.
  func numbers<Element: LinearAlgebraElement>(
    _ count: Int, _ generator: inout SeededGenerator
  ) -> [Element] {
    (0..<count).map { _ in Element(generator.uniform(in: -1...1)) }
  }
}

extension Matrix {
  fileprivate init(rows: Int, columns: Int, _ element: (Int, Int) -> Element) {
    self.init(rows: rows, columns: columns)
    for row in 0..<rows { for column in 0..<columns { self[row, column] = element(row, column) } }
  }
}
