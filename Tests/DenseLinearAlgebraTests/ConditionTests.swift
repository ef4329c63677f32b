import DenseLinearAlgebra
import TestSupport
import Testing

@Suite struct ConditionTests {
  @Test("The condition of a diagonal matrix is its largest over its smallest element")
  func diagonal() throws {
    try forEachCase(seed: 13, cases: 50) { generator, _ in
      let count = generator.integer(in: 1...60)
      let values = (0..<count).map { _ in generator.logNormal(scale: 2) }
      let exact = (values.min() ?? 1) / (values.max() ?? 1)
      let double = try CholeskyFactor(factorizing: Matrix<Double>.diagonal(values))
      let single = try CholeskyFactor(factorizing: Matrix<Float>.diagonal(values.map(Float.init)))
      // The estimator averages over n elements: a few n roundings.
      let roundings = Double(4 * count + 20)
      #expect(relativeError(double.reciprocalCondition, exact) <= roundings * .ulpOfOne)
      #expect(
        relativeError(single.reciprocalCondition, exact) <= roundings * Double(Float.ulpOfOne))
      #expect(double.oneNorm == values.max())
    }
  }

  @Test(
    "The estimate of a dense matrix is not below the truth, and not far above", arguments: orders)
  func dense(order: Int) throws {
    var generator = SeededGenerator(seed: 19, stream: UInt64(order))
    let a = Matrix<Double>.randomPositiveDefinite(order: order, &generator)
    let factor = try CholeskyFactor(factorizing: a.copy())
    // A⁻¹ = L⁻ᵀ L⁻¹.
    var inverseOfL = Matrix<Double>.diagonal([Double](repeating: 1, count: order))
    factor.solveFromLeft(&inverseOfL)
    let inverse = product(inverseOfL, transposedA: true, inverseOfL)
    // tr(A⁻¹) from the factor alone, in both precisions, is no smaller than 1/λmin.
    #expect(relativeError(factor.inverseTrace(), inverse.trace) <= 1e-10)
    let single = try CholeskyFactor(factorizing: a.converted(to: Float.self))
    #expect(relativeError(single.inverseTrace(), inverse.trace) <= 1e-2)
    let least = try SymmetricEigen(decomposing: a.copy()).values.first ?? 1
    #expect(order == 0 || factor.inverseTrace() * least >= 1 - 1e-10)
    let exact = order == 0 ? 1 : 1 / (oneNorm(a) * oneNorm(inverse))
    // Not below, but for rounding, which the condition (some 10²) magnifies.
    #expect(factor.reciprocalCondition >= exact * (1 - 1e-10))
    #expect(factor.reciprocalCondition <= min(1, 10 * exact))
    // The same sums in another order.
    let limit = Double(order) * .ulpOfOne
    #expect(relativeError(factor.oneNorm, oneNorm(a)) <= limit)
  }

  @Test("Of a factor in the upper triangle the condition is the same as LAPACK's of the lower one")
  func eitherTriangle() throws {
    try forEachCase(seed: 41, cases: 60) { generator, _ in
      let order = generator.integer(in: 1...150)
      let shift = generator.logNormal(scale: 3)
      let a = Matrix<Double>.randomPositiveDefinite(order: order, shift: shift, &generator)
      let lower = try CholeskyFactor(factorizing: a.copy())
      let upper = try CholeskyFactor(factorizing: a.copy(), in: .upper)
      // Rounding, which conditions of up to some 10⁷ magnify; a tie that it decides otherwise would show.
      #expect(relativeError(upper.reciprocalCondition, lower.reciprocalCondition) <= 1e-7)
      #expect(upper.oneNorm == lower.oneNorm)
      #expect(relativeError(upper.inverseTrace(), lower.inverseTrace()) <= 1e-7)
      let single = try CholeskyFactor(
        factorizing: Matrix<Float>.randomPositiveDefinite(order: order, shift: 1, &generator),
        in: .upper)
      let plain = try CholeskyFactor(
        factorizing: Matrix<Float>.diagonal([Float](repeating: 3, count: order)), in: .upper)
      #expect(single.reciprocalCondition > 0.02 && single.reciprocalCondition <= 1)
      #expect(relativeError(plain.reciprocalCondition, 1) <= 1e-4)
    }
  }

  @Test("A condition beyond what a Float norm could hold is still right")
  func wideRange() throws {
    // Each column sums to 4e38: fine in Float64, infinite in Float.
    let a = Matrix<Float>(rows: 2, columns: 2, elements: [3e38, 1e38, 1e38, 3e38])
    for triangle in [StoredTriangle.lower, .upper] {
      let factor = try CholeskyFactor(factorizing: a.copy(), in: triangle)
      #expect(relativeError(factor.oneNorm, 4e38) < 1e-6)
      // Eigenvalues 4e38 and 2e38, and A⁻¹ = [3 -1; -1 3]/8e38, so κ₁ = 4 · 4/8.
      #expect(relativeError(factor.reciprocalCondition, 0.5) < 1e-5)
    }
  }

  private func oneNorm(_ a: borrowing Matrix<Double>) -> Double {
    var largest = 0.0
    for column in 0..<a.columns {
      var sum = 0.0
      for row in 0..<a.rows { sum += abs(a[row, column]) }
      largest = max(largest, sum)
    }
    return largest
  }
}
