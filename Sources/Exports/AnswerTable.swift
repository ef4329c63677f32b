internal import PlanFiles

/// A plan as a table for spreadsheets: a row per unit.
enum AnswerTable {
  private static let columns = [
    "name", "gain", "quality", "continuous", "integer", "lower", "upper", "cost", "weights",
    "pattern", "at_bound",
  ]

  static func export(_ planned: PlannedUnits) -> Exported {
    func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
    func whole(_ value: Int?) -> String { value.map { "\($0)" } ?? "" }
    let rows = planned.units.map { unit in
      [
        unit.name, number(unit.gain), number(unit.quality), number(unit.continuous),
        whole(unit.integer), number(unit.lower), number(unit.upper), number(unit.cost),
        whole(unit.weights), unit.pattern ?? "", unit.atBound ?? "",
      ]
    }
    return Exported(
      text: ([columns] + rows).map { $0.map(field).joined(separator: ",") + "\n" }.joined(),
      summary: "\(rows.count) units")
  }

  /// Quoted where a comma, a quote or a line end would be read as something else.
  private static func field(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }
}
