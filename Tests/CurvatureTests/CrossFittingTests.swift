import Curvature
import TestSupport
import Testing

@Suite("Cross-fitted gains")
struct CrossFittingTests {
  /// K_st = y_s · y_t of S folds y = mean + noise, in p dimensions with unit curvature.
  private func draw(
    _ generator: inout SeededGenerator, folds: Int, mean: [Double], noise: Double
  ) -> FoldGram {
    let y = (0..<folds).map { _ in mean.map { $0 + noise * generator.normal() } }
    return FoldGram(
      folds: folds,
      products: y.flatMap { a in y.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } })
  }

  @Test(
    "Over 2000 draws the mean is the known gain and the jackknife error the true spread",
    arguments: [4, 8], [(0.0, 1.0), (0.3, 1.0), (3.0, 1.0)])
  func unbiased(folds: Int, regime: (size: Double, noise: Double)) {
    var generator = SeededGenerator(seed: 77)
    let mean = (0..<20).map { regime.size * ($0.isMultiple(of: 2) ? 1 : -0.5) }
    let truth = mean.reduce(0) { $0 + $1 * $1 }
    let draws = 2000
    let grams = (0..<draws).map { _ in
      draw(&generator, folds: folds, mean: mean, noise: regime.noise)
    }
    let gains = grams.map(\.crossFittedGain)
    let average = gains.reduce(0, +) / Double(draws)
    let variance = gains.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(draws - 1)
    #expect(abs(average - truth) <= 3 * (variance / Double(draws)).squareRoot())

    // The plain jackknife would be 1.6 times too large on average where four folds hold only noise.
    let stated = grams.reduce(0) { $0 + ($1.standardError ?? 0) } / Double(draws)
    let ratio = stated / variance.squareRoot()
    #expect(abs(ratio - 1) < 0.2, "the stated error is \(ratio) times the spread")
  }

  @Test("The plain gain of the same draws is far too large where there is only noise")
  func plainIsNoise() {
    var generator = SeededGenerator(seed: 78)
    let mean = [Double](repeating: 0, count: 20)
    let grams = (0..<200).map { _ in draw(&generator, folds: 4, mean: mean, noise: 1) }
    let plain = grams.map { $0.products.reduce(0, +) / 16 }.reduce(0, +) / 200
    // Noise of variance 1 in 20 dimensions, averaged over 4 folds: 20/4.
    #expect(abs(plain - 5) < 0.5)
  }

  @Test(
    "The pipeline's products are those of a dense solve",
    arguments: [
      CurvatureKind.identity, .diagonal, .kfac,
    ])
  func throughTheReader(kind: CurvatureKind) throws {
    try forEachCase(seed: 79, cases: 15) { generator, _ in
      let (m, n, folds) = (3, 4, generator.integer(in: 2...5))
      let values = ModuleValues(outputs: m, inputs: n, &generator)
      let gradients = (0..<folds).map { _ in (0..<m * n).map { _ in generator.normal() } }
      let mean = (0..<m * n).map { i in
        gradients.reduce(0) { $0 + $1[i] } / Double(folds)
      }
      let found = try temporaryFolder { folder in
        var builder = StatisticsBuilder()
        builder.add("l.0.gradient", [m, n], mean)
        builder.add("l.0.gradient_folds", [folds, m, n], gradients.flatMap { $0 })
        builder.add("l.0.activation_covariance", [n, n], values.activation)
        builder.add("l.0.gradient_covariance", [m, m], values.output)
        builder.add("l.0.fisher_diagonal", [m, n], values.fisher)
        try builder.write(to: folder + "/s.safetensors")
        let statistics = try Statistics(path: folder)
        var computer = GainComputer(
          statistics: statistics,
          options: GainOptions(
            kind: kind, damping: .standard, precision: .double))
        return try computer.gain(of: statistics.modules[0])
      }
      let matrix: [[Double]]
      switch kind {
      case .diagonal:
        let shift = 0.1 * values.fisher.reduce(0, +) / Double(m * n)
        matrix = DenseReference.diagonal(values.fisher, shift: shift)
      case .kfac:
        let root = 0.1.squareRoot()
        matrix = DenseReference.kronecker(
          values, shiftA: root * DenseReference.meanEigenvalue(values.activation, order: n),
          shiftG: root * DenseReference.meanEigenvalue(values.output, order: m))
      case .identity, .dense:
        matrix = DenseReference.diagonal([Double](repeating: 0, count: m * n), shift: 1)
      }
      // Polarisation: 2 gᵀH⁻¹h = q(g + h) − q(g) − q(h).
      func q(_ x: [Double]) -> Double { DenseReference.quadraticForm(matrix, x) }
      var expected = 0.0
      for s in 0..<folds {
        for t in 0..<folds where s != t {
          let sum = zip(gradients[s], gradients[t]).map { $0 + $1 }
          expected += (q(sum) - q(gradients[s]) - q(gradients[t])) / 2
        }
      }
      expected /= Double(folds * (folds - 1))
      let gram = try #require(found.foldGram)
      let size = q(gradients[0]) + q(gradients[1])
      try require(
        abs(gram.crossFittedGain - expected) <= 1e-9 * size, "\(gram.crossFittedGain), \(expected)")
      try require(found.gain == max(gram.crossFittedGain, 0), "negative counts as 0")
      try require(relativeError(found.plainGain, q(mean)) < 1e-9, "\(found.plainGain)")
    }
  }

  @Test("The rule decides: plain ignores folds, cross-fitted demands them")
  func rules() throws {
    try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      builder.add("l.0.gradient", [1, 2], [1, 2])
      builder.add("l.0.gradient_folds", [2, 1, 2], [1, 1, 1, 3])
      builder.add("l.1.gradient", [1, 2], [1, 2])
      try builder.write(to: folder + "/s.safetensors")
      let statistics = try Statistics(path: folder)
      func gain(_ rule: GainRule, _ module: Int) throws -> ModuleGain {
        var computer = GainComputer(
          statistics: statistics,
          options: GainOptions(
            kind: .identity, damping: .standard, precision: .double, rule: rule))
        return try computer.gain(of: statistics.modules[module])
      }
      #expect(try gain(.automatic, 0).gain == 4)
      #expect(try gain(.crossFitted, 0).gain == 4)
      #expect(try gain(.plain, 0).gain == 5)
      #expect(try gain(.automatic, 1).gain == 5)
      #expect {
        _ = try gain(.crossFitted, 1)
      } throws: { error in
        "\(error)".contains("l.1") && "\(error)".contains("gradient_folds")
      }
    }
  }
}
