/// What a chart draws, in cells; the first column names the row.
struct FigureTable: Sendable, Equatable {
  let caption: String
  let columns: [String]
  private(set) var rows: [[String]] = []
  /// Columns of words after the first, by position; the others hold numbers.
  var wordColumns: Set<Int> = []

  init(caption: String, columns: [String]) {
    self.caption = caption
    self.columns = columns
  }

  mutating func add(_ cells: [String]) { rows.append(cells) }

  /// A table in a region that scrolls by keyboard where it is wider than the page.
  var element: String {
    var text =
      "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\(markup(caption))\">"
      + "<table><caption>\(markup(caption))</caption><thead><tr>"
    for (index, column) in columns.enumerated() {
      text += "<th scope=\"col\"\(style(of: index))>\(markup(column))</th>"
    }
    text += "</tr></thead><tbody>\n"
    for row in rows {
      text += "<tr><th scope=\"row\">\(markup(row.first ?? ""))</th>"
      for (index, cell) in row.enumerated().dropFirst() {
        text += "<td\(style(of: index))>\(markup(cell))</td>"
      }
      text += "</tr>\n"
    }
    return text + "</tbody></table></div>"
  }

  private func style(of column: Int) -> String {
    column == 0 || wordColumns.contains(column) ? " class=\"w\"" : ""
  }
}
