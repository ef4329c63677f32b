/// What a table is printed on: a screen of some size, or paper without end.
struct Page {
  /// Nil for files and pipes.
  let screen: Screen?
  let color: Bool

  var bar: Bar { Bar(width: 24, color: color) }

  /// For each of two tables on one screen.
  var half: Page {
    Page(screen: screen.map { Screen(columns: $0.columns, rows: $0.rows / 2) }, color: color)
  }

  /// - Parameter below: what is printed under the table, and must be seen with it.
  func text(of table: TextTable, above: String = "", below: String, notes: [String] = []) -> String
  {
    guard let screen else { return above + table.text + below }
    let others = above + below + notes.map { "note: \($0)\n" }.joined()
    // Rows for the prompt and for what is left out. Some rows are shown on the smallest screen.
    let room = max(8, screen.rows - screen.rows(of: others) - 2)
    return above + TableLayout(table, columns: screen.columns, rows: room).text + below
  }
}
