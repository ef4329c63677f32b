/// Rows of text in aligned columns: text to the left, numbers to the right.
struct TextTable {
  enum Column {
    case text(String)
    case number(String)

    var title: String {
      switch self {
      case .text(let title), .number(let title): title
      }
    }
  }

  private let columns: [Column]
  private var rows: [[String]] = []

  init(columns: [Column]) {
    self.columns = columns
  }

  /// - Precondition: one cell per column.
  mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "a row needs \(columns.count) cells")
    rows.append(cells)
  }

  /// Title line and rows, each ending in a line feed.
  var text: String {
    let lines = [columns.map(\.title)] + rows
    let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { cells in
      var line = ""
      for (index, cell) in cells.enumerated() {
        let padding = String(repeating: " ", count: widths[index] - cell.count)
        if index > 0 { line += "  " }
        switch columns[index] {
        case .text: line += cell + padding
        case .number: line += padding + cell
        }
      }
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }
}
