import DenseLinearAlgebra
import TestSupport
import Testing

@Suite struct ArithmeticTests {
  @Test("Trace, shift and scale act on the elements they name")
  func elementwise() {
    var matrix = Matrix<Double>(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
    #expect(matrix.trace == 6)
    matrix.addToDiagonal(10)
    #expect(matrix.elements() == [11, 2, 3, 4, 15, 6])
    matrix.scale(by: -2)
    #expect(matrix.elements() == [-22, -4, -6, -8, -30, -12])
  }

  @Test(
    "Rows, columns and elements are scaled by their own factors, and sums are element by element")
  func scaling() {
    var matrix = Matrix<Float>(rows: 2, columns: 3, elements: [1, 2, 3, 4, 5, 6])
    matrix.scaleRows(by: [2, -1])
    #expect(matrix.elements() == [2, 4, 6, -4, -5, -6])
    matrix.scaleColumns(by: [1, 0.5, 0])
    #expect(matrix.elements() == [2, 2, 0, -4, -2.5, 0])
    var asked: [[Int]] = []
    matrix.scaleElements { row, column in
      asked.append([row, column])
      return Double(10 * row + column + 1)
    }
    #expect(matrix.elements() == [2, 4, 0, -44, -30, 0])
    #expect(asked == [[0, 0], [0, 1], [1, 0], [1, 1]], "an element that is 0 stays so unasked")
  }

  @Test("The trace of Float elements is added in Float64")
  func wideTrace() {
    // In Float 2²⁴ + 1 rounds back to 2²⁴.
    let matrix = Matrix<Float>.diagonal([0x1p24, 1, 1])
    #expect(matrix.trace == 0x1p24 + 2)
  }

  @Test("Symmetrizing gives (A + Aᵀ)/2 and says how far A was from it", arguments: orders + [136])
  func symmetrizing(order: Int) {
    symmetrizing(order: order, Float.self)
    symmetrizing(order: order, Double.self)
  }

  private func symmetrizing<Element: LinearAlgebraElement>(order: Int, _ type: Element.Type) {
    var generator = SeededGenerator(seed: 11, stream: UInt64(order))
    let before = Matrix<Element>.random(rows: order, columns: order, &generator)
    var after = before.copy()
    let found = after.symmetrize()
    var expected = (asymmetry: Element(0), magnitude: Element(0))
    var wrong = 0
    for i in 0..<order {
      for j in 0..<order {
        let (x, y) = (before[i, j], before[j, i])
        expected.asymmetry = max(expected.asymmetry, abs(x - y))
        expected.magnitude = max(expected.magnitude, abs(x))
        if after[i, j] != x / 2 + y / 2 || after[i, j] != after[j, i] { wrong += 1 }
      }
    }
    #expect(wrong == 0)
    #expect(found.largestAsymmetry == Double(expected.asymmetry))
    #expect(found.largestMagnitude == Double(expected.magnitude))
    // Once symmetric, nothing moves any more.
    let bits = after.elements()
    var isSymmetric = after.isSymmetricBitByBit
    #expect(isSymmetric)
    let norms = after.symmetricNorms()
    let squares = after.sumOfSquares
    #expect(norms.sumOfSquares == squares)
    let sizes = (0..<order).map { row in
      (0..<order).reduce(0.0) { $0 + abs(Double(after[row, $1])) }
    }
    #expect(relativeError(norms.one, sizes.max() ?? 0) <= Double(order) * .ulpOfOne)
    #expect(after.symmetrize().largestAsymmetry == 0)
    // One element that differs in its last bit is found wherever it is.
    guard order > 1 else { return }
    for _ in 0..<20 {
      let row = generator.integer(in: 1...order - 1)
      let column = generator.integer(in: 0...row - 1)
      let place = generator.integer(in: 0...1) == 0 ? (row, column) : (column, row)
      let kept = after[place.0, place.1]
      after[place.0, place.1] = kept.nextUp
      isSymmetric = after.isSymmetricBitByBit
      #expect(!isSymmetric, "\(place) of order \(order)")
      after[place.0, place.1] = kept
    }
    isSymmetric = after.isSymmetricBitByBit
    #expect(isSymmetric)
    #expect(after.elements() == bits)
  }

  @Test("Symmetrizing neither overflows nor loses the smallest number")
  func symmetrizingExtremes() {
    let (huge, tiny) = (Float.greatestFiniteMagnitude, Float.leastNonzeroMagnitude)
    var matrix = Matrix<Float>(
      rows: 3, columns: 3, elements: [tiny, huge, tiny, huge, 0, 0, tiny, 0, -huge])
    let found = matrix.symmetrize()
    #expect(matrix.elements() == [tiny, huge, tiny, huge, 0, 0, tiny, 0, -huge])
    #expect(found == (0, Double(huge)))
  }

  @Test(
    "A nan or infinity anywhere makes both findings nan",
    arguments: [Double.nan, .infinity, -.infinity], [(0, 0), (1, 18), (18, 1), (19, 19)])
  func symmetrizingNotFinite(value: Double, place: (row: Int, column: Int)) {
    var matrix = Matrix<Double>(rows: 20, columns: 20)
    matrix[place.row, place.column] = value
    let found = matrix.symmetrize()
    #expect(found.largestAsymmetry.isNaN && found.largestMagnitude.isNaN)
    // Nor does a norm lose it, with rows of whole lanes and without.
    for order in [20, 24] {
      var larger = Matrix<Double>(rows: order, columns: order)
      larger.addToDiagonal(1)
      larger[place.row, place.column] = value
      let norms = larger.symmetricNorms()
      #expect(!norms.sumOfSquares.isFinite)
      // The plain road reads the lower triangle only.
      #expect(!norms.one.isFinite || (order == 20 && place == (1, 18)))
    }
  }

  @Test("The dot product of whole numbers is exact, at every length", arguments: 0...40)
  func wholeNumbers(count: Int) {
    let a = (0..<count).map { Float($0 * $0 - 300) }
    let b = (0..<count).map { Float(7 - 3 * $0) }
    let exact = (0..<count).reduce(0) { $0 + ($1 * $1 - 300) * (7 - 3 * $1) }
    // Outside of #expect: spans in its expansion crash Swift 6.3.1.
    let single = dot(a.span, b.span)
    let (wideA, wideB) = (a.map(Double.init), b.map(Double.init))
    let double = dot(wideA.span, wideB.span)
    #expect(single == Double(exact))
    #expect(double == Double(exact))
  }

  @Test("A dot product is within its stated error of the exact one")
  func dotError() {
    forEachCase(seed: 29, cases: 100) { generator, _ in
      let count = generator.integer(in: 1...3000)
      let a = (0..<count).map { _ in Float(generator.logNormal(scale: 3) * generator.normal()) }
      let b = (0..<count).map { _ in Float(generator.normal()) }
      // Products of Float are exact in Float64; their sum is kept with its rounding error beside.
      var (sum, lost, magnitude) = (0.0, 0.0, 0.0)
      for index in 0..<count {
        let term = Double(a[index]) * Double(b[index])
        let next = sum + term
        let part = next - sum
        lost += (sum - (next - part)) + (term - part)
        sum = next
        magnitude += abs(term)
      }
      let m = Double((count + 7) / 8 + 11)
      let result = dot(a.span, b.span)
      #expect(abs((result - sum) - lost) <= m * 0x1p-53 * magnitude * 1.01)
    }
  }

  @Test("The sum of squares is the dot product of the matrix with itself, in Float64 for Float too")
  func sumOfSquares() {
    var generator = SeededGenerator(seed: 31)
    let narrow = Matrix<Float>.random(rows: 17, columns: 19, &generator)
    let wide = narrow.converted(to: Double.self)
    #expect(narrow.sumOfSquares == wide.sumOfSquares)
    let product = narrow.withSpan { dot($0, $0) }
    #expect(narrow.sumOfSquares == product)
    #expect(Matrix<Float>(rows: 1, columns: 1, elements: [1e30]).sumOfSquares.isFinite)
  }

  @Test("Different lengths stop the process")
  func differentLengths() async {
    await #expect(processExitsWith: .failure) {
      let (a, b): ([Float], [Float]) = ([1], [])
      _ = dot(a.span, b.span)
    }
  }
}
