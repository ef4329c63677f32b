internal import PlanFiles

/// A table within the columns and rows of a screen: rows stay one line, and what matters stays.
///
/// Too many rows: those of largest and of smallest weight are shown, or the first and the last where
/// rows have none. Too wide: the bar shrinks, then names, then the bar and spare columns go.
struct TableLayout {
  private static let shortestBar = 6
  /// Names are not shortened below the first while columns can be spared, and never below the second.
  private static let nameWidths = (comfortable: 24, least: 12)

  private let table: TextTable
  private var rows: [TextTable.Row]
  /// Where the rows that are not shown would be, and how many they are.
  private var gap: (position: Int, count: Int)?
  /// Of each column; nil for one that is left out.
  private var widths: [Int?]
  private var bar: Int
  private let limit: Int?

  /// All of the table.
  init(_ table: TextTable) {
    self.init(table, shown: (table.rows, nil), limit: nil)
  }

  /// - Parameter rows: of the screen, titles included.
  init(_ table: TextTable, columns: Int, rows: Int) {
    self.init(table, shown: Self.selection(of: table.rows, most: rows - 1), limit: columns)
    fit(columns)
  }

  private init(
    _ table: TextTable, shown: (rows: [TextTable.Row], gap: (position: Int, count: Int)?),
    limit: Int?
  ) {
    self.table = table
    (rows, gap) = shown
    self.limit = limit
    bar = table.bar?.width ?? 0
    widths = table.columns.indices.map { column in
      shown.rows.reduce(table.columns[column].title.count) { max($0, $1.cells[column].count) }
    }
  }

  private static func selection(
    of rows: [TextTable.Row], most: Int
  ) -> (rows: [TextTable.Row], gap: (position: Int, count: Int)?) {
    guard rows.count > most else { return (rows, nil) }
    // The gap takes a line, and another one says what is left out.
    let shown = max(2, most - 2)
    var ordered = rows
    if rows.allSatisfy({ $0.weight?.isNaN == false }) {
      let order = rows.indices.sorted {
        let (first, second) = (rows[$0].weight ?? 0, rows[$1].weight ?? 0)
        return first == second ? $0 < $1 : first > second
      }
      ordered = order.map { rows[$0] }
    }
    let head = (shown + 1) / 2
    let kept = Array(ordered.prefix(head) + ordered.suffix(shown - head))
    return (kept, (head, rows.count - shown))
  }

  // MARK: Width

  private var width: Int {
    let cells = widths.compactMap(\.self)
    let gaps = max(0, cells.count - 1) + (bar > 0 ? 1 : 0)
    return cells.reduce(0, +) + bar + 2 * gaps
  }

  private mutating func fit(_ columns: Int) {
    let natural = widths
    if bar > 0 { bar = max(Self.shortestBar, bar - max(0, width - columns)) }
    shorten(to: columns, least: Self.nameWidths.comfortable)
    if width > columns { bar = 0 }
    let spare = table.columns.indices.filter { table.columns[$0].spare != nil }.sorted {
      (table.columns[$0].spare ?? 0, $0) < (table.columns[$1].spare ?? 0, $1)
    }
    for column in spare where width > columns { widths[column] = nil }
    shorten(to: columns, least: Self.nameWidths.least)
    // Room that a column left is for names first, then for bars.
    for column in table.columns.indices {
      guard let now = widths[column], let full = natural[column], now < full else { continue }
      widths[column] = min(full, now + max(0, columns - width))
    }
    if let bar = table.bar {
      let room = self.bar + columns - width - (self.bar > 0 ? 0 : 2)
      self.bar = room < Self.shortestBar ? self.bar : min(bar.width, room)
    }
  }

  /// Takes from the widest column of text, a character at a time.
  private mutating func shorten(to columns: Int, least: Int) {
    while width > columns {
      let texts = table.columns.indices.filter { !table.columns[$0].isNumber }
      let widest = texts.max { (widths[$0] ?? 0, $1) < (widths[$1] ?? 0, $0) }
      guard let widest, let now = widths[widest], now > least else { return }
      widths[widest] = now - 1
    }
  }

  // MARK: Lines

  /// Title line and rows, each ending in a line feed, then what was left out.
  var text: String {
    let titles = table.columns.map(\.title)
    var lines = [line(titles, bar: nil)]
    let columns = table.columns.indices.map { column in
      let cells = rows.map { $0.cells[column] }
      guard let width = widths[column] else { return cells }
      return ShortNames.of(cells, width: width)
    }
    for (index, row) in rows.enumerated() {
      if gap?.position == index { lines.append("…") }
      lines.append(line(columns.map { $0[index] }, bar: row.weight))
    }
    return lines.map { $0 + "\n" }.joined() + remark
  }

  private func line(_ cells: [String], bar share: Double?) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      guard let width = widths[index] else { continue }
      if !line.isEmpty { line += "  " }
      let padding = String(repeating: " ", count: max(0, width - cell.count))
      line += table.columns[index].isNumber ? padding + cell : cell + padding
    }
    line = clipped(line)
    if let share, bar > 0, let drawn = table.bar {
      line += "  " + Bar(width: bar, color: drawn.color).text(share)
    }
    while line.last == " " { line.removeLast() }
    return line
  }

  /// What a screen does not show, on one line.
  private var remark: String {
    var parts: [String] = []
    if let gap {
      let isOrdered = rows.allSatisfy { $0.weight?.isNaN == false }
      parts.append(
        "all \(NumberText.grouped(rows.count + gap.count)) rows (\(rows.count) shown, "
          + (isOrdered ? "the largest and smallest)" : "first and last)"))
    }
    parts += table.columns.indices.filter { widths[$0] == nil }.map { table.columns[$0].title }
    guard !parts.isEmpty else { return "" }
    return clipped("--full: " + parts.joined(separator: ", ")) + "\n"
  }

  /// Screens too narrow even so: a row is a line.
  private func clipped(_ line: String) -> String {
    guard let limit, line.count > limit else { return line }
    return line.prefix(max(0, limit - 1)) + "…"
  }
}
