import Testing

@testable import HTMLReport

@Suite struct AxisScaleTests {
  @Test("A linear axis begins at 0, ends at a round number and has round ticks")
  func linear() {
    let scale = AxisScale(linearTo: 17.3)
    #expect(scale.ticks.map(\.label) == ["0", "5", "10", "15", "20"])
    #expect(scale.position(of: 5) == 0.25)
    #expect(AxisScale(linearTo: 0.6, percent: true).ticks.last?.label == "60 %")
    #expect(AxisScale(linearTo: 0).ticks.count > 1)
  }

  @Test("An axis of powers of ten spans its values; 0 lies at its low end")
  func logarithmic() throws {
    let scale = try #require(AxisScale(logarithmicFor: [0, 3, 20_000]))
    #expect(scale.low == 1 && scale.high == 100_000)
    #expect(scale.ticks.map(\.label) == ["1", "10", "100", "1,000", "10,000", "10⁵"])
    #expect(scale.position(of: 0) == 0)
    #expect(abs(scale.position(of: 1000) - 0.6) < 1e-6)
    #expect(AxisScale(logarithmicFor: [0, -1]) == nil)
  }

  @Test("Extreme values keep their places within the axis")
  func extremes() throws {
    let ends: [(least: Double, largest: Double)] = [
      (-1.7e308, 1.7e308), (1e300, 1e300), (0, 16 * .leastNonzeroMagnitude), (.nan, .nan),
      (-.infinity, .infinity),
    ]
    for (least, largest) in ends {
      #expect(!AxisScale(linearTo: largest, from: least).ticks.isEmpty)
    }
    let scale = try #require(AxisScale(logarithmicFor: [1e-300, 1e300]))
    let places = [1e-300, 1, 1e300].map(scale.position)
    #expect(places.allSatisfy { (0...1).contains($0) } && places == places.sorted())
    for value in [Double.leastNonzeroMagnitude, .greatestFiniteMagnitude] {
      let single = try #require(AxisScale(logarithmicFor: [value]))
      #expect(!single.ticks.isEmpty && (0...1).contains(single.position(of: value)))
    }
  }
}
