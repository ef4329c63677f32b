import DenseLinearAlgebra
import TestSupport
import Testing

/// The only suite that changes the thread count, one test at a time; other suites' results hold for
/// any count.
@Suite(.serialized) struct DeterminismTests {
  /// The bits of one product, factorization, two solves and sum on the same input.
  private struct Results: Equatable {
    var product: [Double]
    var factor: [Double]
    var solved: [Double]
    var reciprocalCondition: Double
  }

  private func compute() throws -> Results {
    var generator = SeededGenerator(seed: 43)
    let a = Matrix<Double>.randomPositiveDefinite(order: 300, &generator)
    var b = Matrix<Double>.random(rows: 300, columns: 300, &generator)
    let c = product(a, b)
    let factor = try CholeskyFactor(factorizing: a)
    factor.solveFromLeft(&b)
    factor.solveFromRightTransposed(&b)
    return Results(
      product: c.elements(), factor: factor.lowerTriangle().elements(), solved: b.elements(),
      reciprocalCondition: factor.reciprocalCondition)
  }

  @Test("The same calls give the same bits at the same thread count", arguments: [1, 2])
  func repeated(threads: Int) throws {
    let before = BLASThreads.current
    defer { BLASThreads.set(before) }
    BLASThreads.set(threads)
    #expect(try compute() == compute())
  }

  @Test("Bits do not depend on where the heap has room", arguments: Precision.allCases)
  func placement(precision: Precision) throws {
    switch precision {
    case .single: try placementLaw(Float.self)
    case .double: try placementLaw(Double.self)
    }
  }

  /// OpenBLAS's asum starts at the next boundary of 32 bytes, so workspace must not move against it.
  private func placementLaw<Element: LinearAlgebraElement>(_: Element.Type) throws {
    var generator = SeededGenerator(seed: 59)
    let a = Matrix<Element>.randomPositiveDefinite(order: 512, shift: 1e-3, &generator)
    let wide = Matrix<Element>.random(rows: 40, columns: 300, &generator)
    var taken: [[UInt8]] = []
    var all: Set<[Double]> = []
    for round in 0..<12 {
      // Blocks of odd multiples of 16 bytes that stay, so that what comes next lies elsewhere.
      for _ in 0..<200 { taken.append([UInt8](repeating: 1, count: 32 * round * 7 + 40)) }
      let condition = try CholeskyFactor(factorizing: a.copy()).reciprocalCondition
      let singular = try wide.copy().singularValues()
      all.insert([condition] + singular.map { Double($0) })
    }
    #expect(all.count == 1 && taken.count == 2400)
  }

  @Test("Fixed-order sums do not depend on the thread count")
  func sums() {
    let before = BLASThreads.current
    defer { BLASThreads.set(before) }
    var generator = SeededGenerator(seed: 47)
    let matrix = Matrix<Float>.random(rows: 400, columns: 401, &generator)
    let values = [1, 2, 1].map { threads in
      BLASThreads.set(threads)
      return matrix.sumOfSquares
    }
    #expect(values[0] == values[1] && values[1] == values[2])
  }

  @Test("A thread count can be set and read back")
  func threadCount() {
    let before = BLASThreads.current
    defer { BLASThreads.set(before) }
    BLASThreads.set(1)
    #expect(BLASThreads.current == 1)
    BLASThreads.set(Int.max)
    #expect(BLASThreads.current >= 1)
  }

  @Test("The library names its kernels and its build")
  func names() {
    #expect(!BLASThreads.coreName.isEmpty)
    #expect(BLASThreads.configuration.contains("OpenBLAS"))
    #expect(!BLASThreads.configuration.contains("\n"))
  }

  @Test("No threads at all stops the process")
  func noThreads() async {
    await #expect(processExitsWith: .failure) { BLASThreads.set(0) }
  }
}
