/// A small comma-separated table with a header row: `name,lower,upper`, `name,cost`, `name,gain`.
///
/// Fields may be quoted with `"`; a doubled quote inside stands for one. Blank lines are skipped.
public struct CSVTable: Sendable, Equatable {
  public let columns: [String]
  /// Each row with its line number, counted from 1.
  public let rows: [(line: Int, fields: [String])]
  let source: String

  public static func == (left: CSVTable, right: CSVTable) -> Bool {
    left.columns == right.columns && left.rows.map(\.fields) == right.rows.map(\.fields)
  }

  /// Reads a table that has all `required` columns and no others than those and `optional`.
  public init(
    bytes: [UInt8], source: String, required: [String], optional: [String] = []
  ) throws(PlanFileError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .invalid("\(source): is not UTF-8 text; save the table as UTF-8 CSV")
    }
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    var rows: [(line: Int, fields: [String])] = []
    for (number, line) in lines.enumerated() where !line.allSatisfy(\.isWhitespace) {
      rows.append((number + 1, try Self.fields(of: line, line: number + 1, source: source)))
    }
    guard let header = rows.first else {
      throw .invalid(
        "\(source): is empty; its first line must be \(required.joined(separator: ","))")
    }
    for column in required where !header.fields.contains(column) {
      throw .invalid(
        "\(source): line \(header.line) has no column \"\(column)\"; the first line must be "
          + (required + optional.map { "[\($0)]" }).joined(separator: ","))
    }
    for column in header.fields where !(required + optional).contains(column) {
      throw .invalid(
        "\(source): line \(header.line) has an unknown column \"\(column)\"; the first line must be "
          + (required + optional.map { "[\($0)]" }).joined(separator: ","))
    }
    for row in rows.dropFirst() where row.fields.count != header.fields.count {
      throw .invalid(
        "\(source): line \(row.line) has \(row.fields.count) fields, but the header has "
          + "\(header.fields.count); check for commas inside names")
    }
    self.columns = header.fields
    self.rows = Array(rows.dropFirst())
    self.source = source
  }

  /// A number of a row; an empty field of a column that may be left out gives nil.
  public func number(_ column: String, row: Int) throws(PlanFileError) -> Double? {
    guard let index = columns.firstIndex(of: column), !rows[row].fields[index].isEmpty else {
      return nil
    }
    let text = rows[row].fields[index]
    guard let value = PlainNumber.value(of: text), !value.isNaN else {
      throw .invalid(
        "\(source): line \(rows[row].line), column \"\(column)\": \"\(text)\" is not a number")
    }
    return value
  }

  public func text(_ column: String, row: Int) -> String {
    columns.firstIndex(of: column).map { rows[row].fields[$0] } ?? ""
  }

  private static func fields(
    of line: Substring, line number: Int, source: String
  ) throws(PlanFileError) -> [String] {
    var fields: [String] = []
    var field = ""
    var quoted = false
    var characters = line.makeIterator()
    var pending = characters.next()
    while let character = pending {
      pending = characters.next()
      if quoted, character == "\"", pending == "\"" {
        field.append("\"")
        pending = characters.next()
      } else if character == "\"" {
        quoted.toggle()
      } else if character == ",", !quoted {
        fields.append(trimmed(field))
        field = ""
      } else {
        field.append(character)
      }
    }
    guard !quoted else {
      throw .invalid("\(source): line \(number) has a quote that is not closed")
    }
    return fields + [trimmed(field)]
  }

  private static func trimmed(_ field: String) -> String {
    var field = field[...]
    while field.first?.isWhitespace == true { field.removeFirst() }
    while field.last?.isWhitespace == true { field.removeLast() }
    return String(field)
  }
}
