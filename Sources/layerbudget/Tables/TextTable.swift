/// Rows of text in aligned columns, text to the left, numbers to the right; behind them a bar for rows
/// that have a share.
struct TextTable {
  struct Column {
    let title: String
    let isNumber: Bool
    /// Columns with the lowest number are the first to go where a screen is too narrow; nil stays.
    var spare: Int?

    static func text(_ title: String, spare: Int? = nil) -> Column {
      Column(title: title, isNumber: false, spare: spare)
    }
    static func number(_ title: String, spare: Int? = nil) -> Column {
      Column(title: title, isNumber: true, spare: spare)
    }
  }

  struct Row {
    var cells: [String]
    /// By what a short screen chooses rows, and how long the bar is.
    let weight: Double?
  }

  let columns: [Column]
  /// Nil for tables without bars.
  let bar: Bar?
  private(set) var rows: [Row] = []

  init(columns: [Column], bar: Bar? = nil) {
    self.columns = columns
    self.bar = bar
  }

  /// - Parameter weight: within 0 ... 1 where the table has bars.
  /// - Precondition: one cell per column.
  mutating func add(_ cells: [String], weight: Double? = nil) {
    precondition(cells.count == columns.count, "a row needs \(columns.count) cells")
    rows.append(Row(cells: cells.map(Self.visible), weight: weight))
  }

  /// Names come out of foreign files, and no terminal may obey them.
  private static func visible(_ cell: String) -> String {
    guard cell.unicodeScalars.contains(where: isHidden) else { return cell }
    return cell.unicodeScalars.map { isHidden($0) ? $0.escaped(asASCII: true) : String($0) }
      .joined()
  }

  private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  /// Title line and all rows at full width, each ending in a line feed.
  var text: String { TableLayout(self).text }
}
