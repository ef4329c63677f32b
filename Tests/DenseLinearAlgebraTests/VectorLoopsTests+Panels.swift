import CVectorLoops
import DenseLinearAlgebra
import TestSupport
import Testing

/// Factors, solves and band reductions by panels. In the same suite, whose tests take turns: they switch instructions for all.
extension VectorLoopsTests {
  @Test("A factor by panels has the bits of the textbook's sums, and stops at the same pivot")
  func panels() {
    // Panels of 12, 24 and 32 columns, 96 rows at a time.
    let orders = [1, 2, 4, 11, 12, 13, 23, 24, 25, 31, 32, 33, 47, 60, 95, 96, 97, 101, 193, 200]
    var generator = SeededGenerator(seed: 66)
    for order in orders {
      let double = Matrix<Double>.randomPositiveDefinite(order: order, &generator).elements()
      let single = Matrix<Float>.randomPositiveDefinite(order: order, &generator).elements()
      let bad = generator.integer(in: 0...order - 1)
      for isBad in [false, true] {
        var (a, b) = (double, single)
        if isBad { (a[bad * (order + 1)], b[bad * (order + 1)]) = (-1, -1) }
        var (expectedA, expectedB) = (a, b)
        let count = PlainLoops.factorize(&expectedA, order: order)
        #expect(count == (isBad ? bad : order))
        #expect(PlainLoops.factorize(&expectedB, order: order) == count)
        withEitherInstructions {
          for isWide in [false, true] {
            // Memory that holds anything.
            var memory = [Double](repeating: .nan, count: cvec_panel_elements_f64(order))
            var halves = [Float](repeating: .nan, count: cvec_panel_elements_f32(order))
            var (c, d) = (a, b)
            #expect(unsafe cvec_factorize_by_panels_f64(&c, order, isWide, &memory) == count)
            #expect(unsafe cvec_factorize_by_panels_f32(&d, order, isWide, &halves) == count)
            // Where it stops, rows of a block are left as they happen to be.
            if !isBad { #expect(c == expectedA && d == expectedB, "\(order)") }
          }
        }
      }
    }
  }

  @Test("Solves by panels have the textbook's bits from the left, no residual from the right")
  func panelSolves() {
    var generator = SeededGenerator(seed: 67)
    let orders = [1, 3, 13, 25, 31, 33, 95, 97, 110, 193]
    for (order, others) in orders.flatMap({ order in
      [1, 4, 7, 12, 33, 50, 101].map { (order, $0) }
    }) {
      unsafe checkSolves(
        order, others, &generator, elements: cvec_panel_elements_f64,
        left: cvec_solve_left_by_panels_f64, right: cvec_solve_right_by_panels_f64)
      unsafe checkSolves(
        order, others, &generator, elements: cvec_panel_elements_f32,
        left: cvec_solve_left_by_panels_f32, right: cvec_solve_right_by_panels_f32)
    }
  }

  /// Both solves with a random factor by every width and set of instructions.
  private func checkSolves<Element: LinearAlgebraElement>(
    _ order: Int, _ others: Int, _ generator: inout SeededGenerator, elements: (Int) -> Int,
    left: (
      UnsafePointer<Element>, Int, UnsafeMutablePointer<Element>, Int, Bool,
      UnsafeMutablePointer<Element>, UnsafeMutablePointer<Element>
    ) -> Void,
    right: (
      UnsafePointer<Element>, Int, UnsafeMutablePointer<Element>, Int, Bool,
      UnsafeMutablePointer<Element>
    ) -> Void
  ) {
    var u = Matrix<Element>.randomPositiveDefinite(order: order, &generator).elements()
    #expect(PlainLoops.factorize(&u, order: order) == order)
    let b: [Element] = numbers(order * others, &generator)
    var expected = b
    PlainLoops.solveFromLeft(u, order: order, &expected, columns: others)
    for isWide in [false, true] {
      var fromRight: [[Element]] = []
      withEitherInstructions {
        // Memory that holds anything.
        var memory = [Element](repeating: .nan, count: elements(order))
        var rows = [Element](repeating: .nan, count: elements(others))
        var (byLeft, byRight) = (b, b)
        unsafe left(u, order, &byLeft, others, isWide, &memory, &rows)
        unsafe right(u, order, &byRight, others, isWide, &memory)
        #expect(byLeft == expected, "\(order), \(others)")
        fromRight.append(byRight)
      }
      #expect(fromRight[0] == fromRight[1])
      #expect(
        residual(of: fromRight[0], u, order: order, b) <= 45 * Double(Element.ulpOfOne))
    }
  }

  @Test("Steps of a band reduction: the same bits with either set, and the textbook's sums")
  func bandSteps() {
    forEachCase(seed: 68, cases: 25) { generator, _ in
      let (order, apart) = (generator.integer(in: 1...130), generator.integer(in: 130...140))
      let a: [Double] = numbers(order * apart, &generator)
      let (x, w): ([Double], [Double]) = (
        numbers(order * 32, &generator), numbers(order * 32, &generator)
      )
      let v: [Double] = numbers(32 * apart, &generator)
      var results: [[Double]] = []
      withEitherInstructions {
        var y = [Double](repeating: .nan, count: order * 32)
        unsafe cvec_multiply_symmetric(a, order, apart, x, &y)
        var rest = a
        var memory = [Double](repeating: .nan, count: cvec_outer_elements(order))
        unsafe cvec_subtract_outer(&rest, order, apart, v, w, &memory)
        results.append(y + rest)
      }
      #expect(results[0] == results[1])
      for i in 0..<order {
        for k in 0..<32 {
          let exact = (0..<order).reduce(0.0) {
            $0 + a[min(i, $1) * apart + max(i, $1)] * x[$1 * 32 + k]
          }
          #expect(abs(results[0][i * 32 + k] - exact) <= 1e-13)
        }
        for j in 0..<apart {
          let found = results[0][order * 32 + i * apart + j]
          let outer = (0..<32).reduce(0.0) {
            j < i || j >= order
              ? 0 : $0 + v[$1 * apart + i] * w[j * 32 + $1] + w[i * 32 + $1] * v[$1 * apart + j]
          }
          // What is not of the upper triangle stays.
          #expect(abs(found - (a[i * apart + j] - outer)) <= (j < i || j >= order ? 0 : 1e-13))
        }
      }
    }
  }

  @Test("Products with reflectors: the same bits with either set, and the textbook's sums")
  func reflectors() {
    forEachCase(seed: 69, cases: 25) { generator, _ in
      let (rows, columns) = (generator.integer(in: 1...40), generator.integer(in: 1...130))
      let (apart, count) = (columns + generator.integer(in: 0...9), 64)
      let a: [Double] = numbers(rows * apart, &generator)
      let v: [Double] = numbers(count * columns, &generator)
      let shares: [Double] = numbers(rows * count, &generator)
      var results: [[Double]] = []
      withEitherInstructions {
        var memory = [Double](
          repeating: .nan, count: cvec_product_elements(rows, columns, count))
        var y = [Double](repeating: .nan, count: rows * count)
        unsafe cvec_multiply_transposed(a, rows, columns, apart, v, count, &y, &memory)
        var rest = a
        unsafe cvec_subtract_product(&rest, rows, columns, apart, shares, v, count, &memory)
        results.append(y + rest)
      }
      #expect(results[0] == results[1])
      for i in 0..<rows {
        for k in 0..<count {
          let exact = (0..<columns).reduce(0.0) { $0 + a[i * apart + $1] * v[k * columns + $1] }
          #expect(abs(results[0][k / 32 * 32 * rows + i * 32 + k % 32] - exact) <= 1e-13)
        }
        for j in 0..<apart {
          let found = results[0][rows * count + i * apart + j]
          let taken = (0..<count).reduce(0.0) {
            j >= columns ? 0 : $0 + shares[i * count + $1] * v[$1 * columns + j]
          }
          #expect(abs(found - (a[i * apart + j] - taken)) <= (j >= columns ? 0 : 1e-13))
        }
      }
    }
  }

  /// The largest error of X U = B, in parts of 1 and the sizes of what is added up there.
  private func residual<Element: LinearAlgebraElement>(
    of x: [Element], _ u: [Element], order: Int, _ b: [Element]
  ) -> Double {
    var largest = 0.0
    for row in 0..<x.count / order {
      for column in 0..<order {
        var (sum, size) = (0.0, 1.0)
        for k in 0...column {
          let term = Double(x[row * order + k]) * Double(u[k * order + column])
          sum += term
          size += abs(term)
        }
        let error = abs(sum - Double(b[row * order + column])) / size
        largest = error.isNaN ? .infinity : max(largest, error)
      }
    }
    return largest
  }
}
