internal import PlanFiles

/// Units whose answer is one of their bounds, and what it would be worth if the bound gave way.
enum BoundFigure {
  /// Bounds beyond these are counted only.
  private static let most = 20

  static func figure(_ plan: PlanDocument) -> FigureOutcome {
    let held = plan.units.indices.filter { plan.units[$0].atBound != nil }
    guard !held.isEmpty else { return .absent("No unit is held by a bound.") }
    let upper = held.count { plan.units[$0].atBound == "upper" }
    let count =
      "\(NumberText.grouped(held.count)) of \(NumberText.grouped(plan.units.count)) units are at a bound: \(NumberText.grouped(held.count - upper)) at the lower, "
      + "\(NumberText.grouped(upper)) at the upper."
    guard held.contains(where: { plan.units[$0].boundWorth != nil }) else {
      return .absent(
        count
          + " This kind of plan does not say what its bounds are worth; the table of all units names them."
      )
    }
    let worths = held.map { (index: $0, worth: abs(plan.units[$0].boundWorth ?? 0)) }
      .sorted { ($0.worth, $1.index) > ($1.worth, $0.index) }
    let labels = UnitLabels(plan.units.map(\.name))
    var table = FigureTable(
      caption:
        "Bounds by their worth: how much the objective falls per unit that the bound gives way",
      columns: ["unit", "bound", "at", "worth"])
    table.wordColumns = [1]
    let rows = worths.prefix(most).map { index, worth in
      let unit = plan.units[index]
      let bound = unit.atBound == "upper" ? "upper" : "lower"
      table.add([
        unit.name, bound, NumberText.short(bound == "upper" ? unit.upper : unit.lower),
        NumberText.short(worth),
      ])
      return RowChart.Row(
        label: "\(labels.label(unit.name, characters: 28)) \(bound == "upper" ? "≤" : "≥")",
        name: "\(unit.name), \(bound) bound", value: worth, text: NumberText.short(worth))
    }
    let chart = RowChart(
      rows: Array(rows), scale: AxisScale(linearTo: worths.first?.worth ?? 1),
      axis: ["objective per unit that the bound gives way", "≤ upper, ≥ lower bound", labels.note])
    let sentence =
      count
      + (held.count > most
        ? " The \(most) that cost most are shown; the table of all units has every one." : "")
    return .drawn(
      Figure(sentence: sentence, table: table, drawing: chart.drawing))
  }
}
