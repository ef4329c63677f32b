import TestSupport
import Testing

@Suite struct SeededGeneratorTests {
  @Test("SplitMix64 gives its published first values for seed 1234567")
  func publishedValues() {
    var generator = SeededGenerator(seed: 1_234_567)
    let values = (0..<5).map { _ in generator.next() }
    #expect(
      values == [
        6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
        4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
      ])
  }

  @Test("Streams of one seed and equal streams of two seeds differ")
  func streams() {
    var firsts: Set<UInt64> = []
    for seed in 0..<20 as Range<UInt64> {
      for stream in 0..<20 as Range<UInt64> {
        var generator = SeededGenerator(seed: seed, stream: stream)
        firsts.insert(generator.next())
      }
    }
    #expect(firsts.count == 400)
  }

  @Test("Draws stay in their range and have the mean and variance of their law")
  func moments() {
    var generator = SeededGenerator(seed: 7)
    let draws = 20_000
    let uniform = (0..<draws).map { _ in generator.uniform(in: -3...5) }
    let normal = (0..<draws).map { _ in generator.normal() }
    let logNormal = (0..<draws).map { _ in generator.logNormal(location: 1, scale: 0.5) }
    let integers = Set((0..<200).map { _ in generator.integer(in: 2...4) })
    #expect(uniform.allSatisfy { (-3...5).contains($0) })
    #expect(logNormal.allSatisfy { $0 > 0 })
    #expect(integers == [2, 3, 4])

    // Five standard deviations of each mean: σ/√n with σ² = 8²/12, 1, and for x² of a normal 2.
    let root = Double(draws).squareRoot()
    #expect(abs(mean(uniform) - 1) < 5 * (64.0 / 12).squareRoot() / root)
    #expect(abs(mean(normal)) < 5 / root)
    #expect(abs(mean(normal.map { $0 * $0 }) - 1) < 5 * 2.0.squareRoot() / root)
    // Mean exp(1 + 0.5²/2) = 3.0802; variance mean² (exp(0.25) − 1).
    #expect(abs(mean(logNormal) - 3.080217) < 5 * 3.0802 * 0.53294 / root)
  }

  private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
}
