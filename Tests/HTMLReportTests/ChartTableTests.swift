import PlanFiles
import Testing

@testable import HTMLReport

@Suite struct ChartTableTests {
  @Test(
    "Every chart comes with a table, and every number at a row's end stands in it",
    arguments: ReportChart.allCases)
  func tables(chart: ReportChart) throws {
    let page = ReportPage(everything(units: 5))
    let figure = try #require(page.figure(chart))
    #expect(!figure.table.rows.isEmpty)
    #expect(figure.table.rows.allSatisfy { $0.count == figure.table.columns.count })
    #expect(page.html.contains(figure.table.element))
    // The words of the picture, as a reader of it sees them.
    let words = figure.drawing(720).elements
    let shown: [[String]] =
      switch chart {
      case .allocation, .gains: figure.table.rows.map { [$0[1]] }
      case .bounds: figure.table.rows.map { [$0[3]] }
      case .search: figure.table.rows.map { [$0[0], $0[1]] }
      case .ranks: figure.table.rows.map { ["\($0[4]) s"] }
      case .placement: figure.table.rows.map { Array($0.dropFirst()) }
      case .price: [["found 0.2500"]]
      }
    for text in shown.joined() { #expect(words.contains(">\(text)</text>"), "\(text)") }
  }

  @Test(
    "What rounds left of the bracket is drawn for γ and the price, and stands in the table for all")
  func brackets() throws {
    var contents = everything(units: 5)
    contents.run?.search?.stages = [
      RunDocument.Stage(purpose: "price", rounds: 3, trials: 40, bracketBits: [50, 35, 0]),
      RunDocument.Stage(purpose: "whole-numbers", rounds: 1, trials: 2, bracketBits: [0]),
      RunDocument.Stage(purpose: "ties", rounds: 1, trials: 2, bracketBits: [0]),
      RunDocument.Stage(purpose: "price", rounds: 1, trials: 2, bracketBits: [7]),
      RunDocument.Stage(purpose: "ties", rounds: 1, trials: 2, bracketBits: [0]),
    ]
    let figure = try #require(ReportPage(contents).figure(.search))
    #expect(figure.table.rows.map(\.last) == ["2⁵⁰, 2³⁵, found", "found", "found", "2⁷", "found"])
    let words = figure.drawing(720).elements
    for text in [
      "price, round 1", "2⁵⁰", "price, round 2", "2³⁵", "price, round 3", "found",
      "price 2, round 1",
    ] {
      #expect(words.contains(">\(text)</text>"), "\(text)")
    }
    #expect(!words.contains("ties"))
    #expect(figure.sentence.hasSuffix("Not drawn: whole numbers, ties."))
  }

  @Test("The table of the price curve has every point of it, and marks the found one")
  func priceTable() throws {
    let figure = try #require(ReportPage(everything(units: 5)).figure(.price))
    #expect(
      figure.table.rows == [
        ["0.1250", "130", "130.0 %"], ["0.2500 (found)", "100", "100.0 %"],
        ["0.5000", "60", "60.0 %"],
      ])
  }

  @Test("Groups of neighbours show the least, median and largest of their units")
  func groups() throws {
    let contents = everything(units: 250)
    let units = contents.plan.units
    let figure = try #require(ReportPage(contents).figure(.allocation))
    #expect(figure.table.rows.count == 84)
    for (index, row) in figure.table.rows.enumerated() {
      let members = units[(3 * index)..<min(3 * index + 3, 250)]
      let sorted = members.compactMap(\.integer).sorted()
      #expect(
        row == [
          members.first!.name, members.last!.name, "\(sorted.count)", "\(sorted.first!)",
          "\(sorted[(sorted.count - 1) / 2])", "\(sorted.last!)",
        ])
    }
    let marks = figure.drawing(720).elements.split(separator: "<circle").count - 1
    #expect(marks == 84 + 1)
  }

  @Test("10,000 units have no more marks than 100 groups, at both widths")
  func manyUnits() throws {
    let page = ReportPage(everything(units: 10_000))
    for chart in [ReportChart.allocation, .gains] {
      let figure = try #require(page.figure(chart))
      for width in [720.0, 356] {
        let drawing = figure.drawing(width)
        #expect(drawing.elements.utf8.count < 60_000)
        #expect(drawing.width == width)
      }
    }
    let html = page.html
    #expect(html.contains("<summary>Units 9,501 to 10,000, from layers.9500</summary>"))
    for index in [0, 499, 500, 9999] { #expect(html.contains(">layers.\(index)</th>")) }
  }
}
