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

  @Test("Without a fold the gain is that of the other folds' products", arguments: [3, 4, 6])
  func withoutFold(folds: Int) throws {
    var generator = SeededGenerator(seed: 78)
    let gram = draw(&generator, folds: folds, mean: [1, -0.5, 2], noise: 1)
    let found = try #require(gram.gainsWithoutFold)
    for left in 0..<folds {
      let kept = (0..<folds).filter { $0 != left }
      let rest = FoldGram(
        folds: folds - 1,
        products: kept.flatMap { s in kept.map { gram.products[s * folds + $0] } })
      #expect(abs(found[left] - rest.crossFittedGain) < 1e-12)
    }
    #expect(draw(&generator, folds: 2, mean: [1], noise: 1).gainsWithoutFold == nil)
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

  @Test("Folds stored as sums over their share of the samples are those stored as means")
  func sums() throws {
    var generator = SeededGenerator(seed: 80)
    let folds = (0..<3).map { _ in (0..<6).map { _ in generator.normal() } }
    let mean = (0..<6).map { i in folds.reduce(0) { $0 + $1[i] } / 3 }
    func gram(sums: Bool) throws -> [Double] {
      try temporaryFolder { folder in
        // 12 samples, 4 in each fold.
        var builder = StatisticsBuilder()
        builder.metadata["normalization"] = sums ? "sum" : "mean"
        builder.metadata["num_samples"] = "12"
        builder.add("l.0.gradient", [2, 3], mean.map { sums ? 12 * $0 : $0 })
        builder.add(
          "l.0.gradient_folds", [3, 2, 3], folds.flatMap { $0 }.map { sums ? 4 * $0 : $0 })
        try builder.write(to: folder + "/s.safetensors")
        let statistics = try Statistics(path: folder)
        var computer = GainComputer(
          statistics: statistics, options: GainOptions(kind: .identity))
        return try computer.gain(of: statistics.modules[0]).foldGram?.products ?? []
      }
    }
    let (means, sums) = (try gram(sums: false), try gram(sums: true))
    #expect(means.count == 9)
    for (a, b) in zip(means, sums) { #expect(abs(a - b) < 1e-13) }
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
