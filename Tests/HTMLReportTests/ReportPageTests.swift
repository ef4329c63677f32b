import Foundation
import FoundationXML
import PlanFiles
import Testing

@testable import HTMLReport

@Suite struct ReportPageTests {
  private static let hostile = "<script>alert(1)</script>\"' onload=x\u{202E}&amp;\u{1}"

  @Test("A hostile name is text wherever it comes")
  func hostileNames() {
    for count in [3, 60, 250] {
      let html = ReportPage(everything(units: count) { "\(Self.hostile).\($0)" }).html
      #expect(!html.contains("<script"))
      #expect(!html.contains("<n0>"))
      #expect(!html.contains("<b>"))
      #expect(!html.contains("\u{202E}"))
      #expect(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39; onload=x"))
      #expect(html.contains("default-src 'none'"))
    }
  }

  @Test(
    "Every chart is a well-formed SVG file, whatever the names", arguments: ReportChart.allCases)
  func wellFormed(chart: ReportChart) throws {
    for count in [1, 41, 250] {
      let page = ReportPage(everything(units: count) { "\(Self.hostile).\($0)" })
      let document = try #require(page.svg(chart).document)
      #expect(XMLParser(data: Data(document.utf8)).parse(), "\(document.prefix(300))")
      #expect(!document.contains("var(--"))
    }
  }

  @Test("The same contents give the same bytes, and nothing is loaded from elsewhere")
  func deterministic() {
    let first = ReportPage(everything(units: 120)).html
    #expect(first == ReportPage(everything(units: 120)).html)
    for word in ["http://", "https://", "url(", "@import", "<script", "<link", "<img"] {
      #expect(!first.contains(word), "\(word)")
    }
  }

  @Test("A pruning plan says what units lose, which way is its own, and nothing of slots")
  func pruningWords() {
    var pruning = plan(.pruning, slots(3), parameters: ["psi": .text("log")])
    pruning.predictedLossChanges = ["measured": 0.25, "log": 0.5]
    let html = ReportPage(contents(pruning)).html
    #expect(html.contains(">What every unit loses</h2>"))
    #expect(!html.contains("What every unit gets"))
    #expect(html.contains(">log (this plan)<"))
    #expect(html.contains(">measured<"))
    #expect(html.contains("Slots have places, and this plan has none."))
    let capacity = ReportPage(contents(plan(.capacity, slots(3)))).html
    #expect(capacity.contains(">What every unit gets</h2>"))
    #expect(capacity.contains("--placement FILE"))
  }

  @Test("A budget is named by what it counts")
  func budgetWords() {
    func page(_ cost: ParameterValue) -> String {
      ReportPage(
        contents(
          plan(
            .capacity, slots(3),
            parameters: ["unit": .text("slots"), "budget_unit": .text("costs"), "cost": cost]))
      ).html
    }
    #expect(page(.number(1)).contains("share a budget of 100 slots and get"))
    #expect(page(.text("table")).contains("<small>in the units&#39; costs</small>"))
    #expect(page(.number(8)).contains("<small>8 a slot</small>"))
    #expect(!page(.number(8)).contains("<small>in costs</small>"))
  }

  @Test("What is not known is left out with a sentence")
  func absent() {
    let page = ReportPage(contents(plan(.capacity, slots(4))))
    #expect(page.svg(.price) == (nil, "no curve"))
    for chart in [ReportChart.search, .ranks, .placement, .bounds] {
      let (document, reason) = page.svg(chart)
      #expect(document == nil)
      #expect(page.html.contains(markup(reason)))
    }
    let flat = slots(3).map { unit in
      var unit = unit
      unit.gain = 0
      return unit
    }
    #expect(ReportPage(contents(plan(.capacity, flat))).svg(.gains).document == nil)
  }

  @Test("Pruning answers are shares of weights, uniform is the share of all")
  func pruning() throws {
    let units = [(10, 100), (90, 300)].enumerated().map { index, unit in
      PlanDocument.Unit(
        name: "layers.\(index)", gain: 1, quality: 1, continuous: 0.2, integer: unit.0, lower: 0,
        upper: 1, cost: nil, weights: unit.1)
    }
    let page = ReportPage(contents(plan(.pruning, units)))
    let figure = try #require(page.figure(.allocation))
    #expect(
      figure.table.rows == [["layers.0", "10.0 %", "−15.0 %"], ["layers.1", "30.0 %", "+5.0 %"]])
    #expect(page.html.contains("2 units lose 100 of 400 weights, between 10.0 % and 30.0 % each"))
  }

  @Test("Continuous capacity is shown where there are no whole numbers")
  func continuous() throws {
    var units = slots(2)
    for index in units.indices {
      units[index].integer = nil
      units[index].continuous = 1.5 + Double(index)
      units[index].cost = Double(1 + 2 * index)
    }
    let figure = try #require(ReportPage(contents(plan(.capacity, units))).figure(.allocation))
    // Σ c x / Σ c = (1.5 + 3 · 2.5) / 4 = 2.25.
    #expect(figure.table.rows.map { $0[1] } == ["1.500", "2.500"])
    #expect(figure.table.caption.contains("uniform: 2.250"))
  }
}
