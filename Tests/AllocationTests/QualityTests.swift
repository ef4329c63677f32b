import Allocation
import Collectives
import TestSupport
import Testing

@Suite("Qualities")
struct QualityTests {
  private let gains = [4.0, 0, 1, 3]

  private func qualities(_ rule: QualityRule, ranks: Int = 2) throws(AllocationError) -> [Double] {
    let units = zip(gains, [10.0, 10, 20, 40]).map { GainedUnit(gain: $0, parameters: $1) }
    let parts = try ThreadedCollective.run(ranks: ranks) { world throws(AllocationError) in
      var search = PriceSearch(method: .accelerated)
      return try rule.qualities(
        of: slice(units, rank: world.rank, of: ranks), totalUnits: units.count, search: &search,
        over: world)
    }
    return merge(parts, count: units.count)
  }

  @Test("Each normalisation does what its name says")
  func normalizations() throws {
    #expect(try qualities(QualityRule(normalization: .mean)) == [2, 0, 0.5, 1.5])
    #expect(try qualities(QualityRule(normalization: .sum)) == [0.5, 0, 0.125, 0.375])
    #expect(try qualities(QualityRule(normalization: .max)) == [1, 0, 0.25, 0.75])
    #expect(try qualities(QualityRule(normalization: .bounded)) == [1.5, 0.5, 0.75, 1.25])
    #expect(try qualities(QualityRule(normalization: .none)) == gains)
    let logs = try qualities(QualityRule(normalization: .log))
    #expect(abs(logs.reduce(0, +) - 4) < 1e-14)
    #expect(logs[1] == 0)
  }

  @Test("Per parameter divides first")
  func perParameter() throws {
    let rule = QualityRule(normalization: .none, perParameter: true)
    #expect(try qualities(rule) == [0.4, 0, 0.05, 0.075])
  }

  @Test("The floor adds a share of the median positive gain", arguments: [1, 3])
  func floors(ranks: Int) throws {
    let rule = QualityRule(normalization: .none, floor: 0.5)
    #expect(try qualities(rule, ranks: ranks) == [5.5, 1.5, 2.5, 4.5])
  }

  @Test("Gains that are all zero are refused in words")
  func allZero() {
    let units = (0..<3).map { _ in GainedUnit(gain: 0, parameters: 1) }
    #expect(throws: AllocationError.nothingToGain(units: 3)) {
      var search = PriceSearch(method: .accelerated)
      _ = try QualityRule().qualities(
        of: units, totalUnits: 3, search: &search, over: SoloCollective())
    }
  }
}
