internal import PlanFiles

/// One plan as one HTML page that needs nothing beside it, or one of its charts as an SVG file.
///
/// The same contents give the same bytes. Text from files is escaped, and the page forbids itself
/// scripts and the network, so that a hostile name stays a name.
public struct ReportPage {
  private let contents: ReportContents

  /// Charts are drawn twice, for wide and for narrow pages: text keeps its size on both.
  private static let wide = 720.0
  private static let narrow = 356.0

  /// - Precondition: the plan has a unit, and lists of units have the plan's length.
  public init(_ contents: ReportContents) {
    self.contents = contents
  }

  /// The page as UTF-8 text.
  /// - Complexity: O(units) time and bytes; the number of drawn marks is bounded.
  public var html: String {
    let summary = ReportSummary(contents.plan)
    var body = "<header><h1>\(markup(summary.title))</h1>"
    body += "<p>\(markup(summary.sentence))</p>"
    for remark in contents.remarks { body += "<p class=\"note\">\(markup(remark))</p>" }
    body += "</header>\n<dl>"
    for figure in summary.keyFigures {
      body +=
        "<div><dt>\(markup(figure.name))</dt><dd>\(markup(figure.value))"
        + "<small>\(markup(figure.note))</small></dd></div>"
    }
    body += "</dl>\n"
    if let comparison = summary.comparison { body += comparison.element + "\n" }
    body += navigation
    body += "<main>\n"
    for chart in ReportChart.allCases { body += section(of: chart) }
    body += unitSection + notesSection + provenanceSection + "</main>\n"
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(markup(summary.title)): \(markup(summary.sentence))</title>
      <style>\(StyleSheet.page)</style></head>
      <body>
      \(body)</body></html>

      """
  }

  /// One chart as an SVG file, or the sentence that says why there is none.
  public func svg(_ chart: ReportChart) -> (document: String?, reason: String) {
    switch outcome(of: chart) {
    case .drawn(let figure): (figure.document(title(of: chart), width: Self.wide), figure.sentence)
    case .absent(let reason): (nil, reason)
    }
  }

  func outcome(of chart: ReportChart) -> FigureOutcome {
    switch chart {
    case .allocation: AllocationFigure.figure(contents.plan)
    case .gains: GainFigure.figure(contents)
    case .bounds: BoundFigure.figure(contents.plan)
    case .price: PriceFigure.figure(contents)
    case .search: SearchFigure.figure(contents.run)
    case .ranks: RankFigure.figure(contents.run)
    case .placement: PlacementFigure.figure(contents)
    }
  }

  private func title(of chart: ReportChart) -> String { chart.title(contents.plan.program) }

  private var navigation: String {
    let links =
      ReportChart.allCases.map { ($0.rawValue, title(of: $0)) }
      + [("units", "All units"), ("provenance", "Where it comes from")]
    return "<nav aria-label=\"Sections\"><ul>"
      + links.map { "<li><a href=\"#\($0.0)\">\(markup($0.1))</a></li>" }.joined()
      + "</ul></nav>\n"
  }

  private func section(of chart: ReportChart) -> String {
    let title = title(of: chart)
    let heading = "<h2 id=\"\(chart.rawValue)\">\(markup(title))</h2>"
    switch outcome(of: chart) {
    case .absent(let reason):
      return
        "<section aria-labelledby=\"\(chart.rawValue)\">\(heading)<p>\(markup(reason))</p></section>\n"
    case .drawn(let figure):
      // A long chart may be divided over printed pages.
      let style = figure.table.rows.count > 30 ? " class=\"long\"" : ""
      return "<section\(style) aria-labelledby=\"\(chart.rawValue)\">\(heading)"
        + "<p>\(markup(figure.sentence))</p>"
        + figure.element(title, width: Self.wide, class: "wide")
        + figure.element(title, width: Self.narrow, class: "narrow")
        + details("\(title): the numbers of this chart", [figure.table]) + "</section>\n"
    }
  }

  private var unitSection: String {
    let pieces = UnitTable(contents: contents).pieces
    let tables = pieces.map { piece in
      let (first, last) = (piece.range.lowerBound, piece.range.upperBound)
      return details(
        pieces.count == 1
          ? "Table of \(last) unit\(last == 1 ? "" : "s")"
          : "Units \(NumberText.grouped(first)) to \(NumberText.grouped(last)), from "
            + contents.plan.units[first - 1].name,
        [piece.table])
    }
    return "<section class=\"long every\" aria-labelledby=\"units\"><h2 id=\"units\">All units</h2>"
      + tables.joined() + "</section>\n"
  }

  private var notesSection: String {
    guard !contents.plan.notes.isEmpty else { return "" }
    return "<section aria-labelledby=\"notes\"><h2 id=\"notes\">Notes of the plan</h2><ul>"
      + contents.plan.notes.map { "<li>\(markup($0))</li>" }.joined() + "</ul></section>\n"
  }

  private var provenanceSection: String {
    let provenance = Provenance(contents: contents)
    return
      "<section class=\"long\" aria-labelledby=\"provenance\"><h2 id=\"provenance\">Where it comes from</h2>"
      + "<p>\(markup(provenance.sentence))</p>"
      + details("Fingerprints and options", provenance.tables) + "</section>\n"
  }

  private func details(_ summary: String, _ tables: [FigureTable]) -> String {
    "<details><summary>\(markup(summary))</summary>" + tables.map(\.element).joined() + "</details>"
  }
}
