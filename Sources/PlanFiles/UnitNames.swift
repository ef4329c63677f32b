/// Names for values that have none: one per line, or a table `name[,parameters]` that also says how many
/// weights each unit has, which pruning needs. Blank lines are skipped.
public struct UnitNames: Sendable, Equatable {
  public let source: String
  public let names: [String]
  public let parameters: [Int]?

  public init(bytes: [UInt8], source: String) throws(PlanFileError) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .invalid("\(source): is not UTF-8 text")
    }
    self.source = source
    let lines = text.split(whereSeparator: \.isNewline).map(Self.trimmed).filter { !$0.isEmpty }
    let columns = (lines.first ?? "").split(separator: ",").map(Self.trimmed)
    guard columns == ["name"] || Set(columns) == ["name", "parameters"] else {
      names = lines
      parameters = nil
      return
    }
    let table = try CSVTable(
      bytes: bytes, source: source, required: ["name"], optional: ["parameters"])
    names = table.rows.indices.map { table.text("name", row: $0) }
    guard columns.count == 2 else {
      parameters = nil
      return
    }
    var parameters: [Int] = []
    for row in table.rows.indices { parameters.append(try table.parameters(row: row)) }
    self.parameters = parameters
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
