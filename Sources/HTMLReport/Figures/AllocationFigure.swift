internal import PlanFiles

/// What every unit gets, beside what all would get if they got the same.
enum AllocationFigure {
  static func figure(_ plan: PlanDocument) -> FigureOutcome {
    let answers = PlanAnswers(plan)
    let names = plan.units.map(\.name)
    let positions = answers.values.indices
    let most = positions.max { answers.values[$0] < answers.values[$1] } ?? 0
    let least = positions.min { answers.values[$0] < answers.values[$1] } ?? 0
    let sentence =
      "From \(answers.textWithUnit(answers.values[least])) for \(names[least]) to "
      + "\(answers.textWithUnit(answers.values[most])) for \(names[most]); the same for every unit would be "
      + "\(answers.text(answers.uniform))."
    let reference = (
      value: answers.uniform, label: "uniform \(answers.text(answers.uniform))"
    )
    let highest = max(
      answers.values.max() ?? 0, answers.uniform,
      plan.units.count <= UnitBins.mostRows
        ? plan.units.compactMap { $0.continuousRange?.last }.max() ?? 0 : 0)
    let scale = AxisScale(
      linearTo: highest, from: min(answers.values.min() ?? 0, 0), percent: answers.isPruning)
    return .drawn(
      plan.units.count <= UnitBins.mostRows
        ? rows(plan, answers, scale, sentence, reference)
        : profile(plan, answers, scale, sentence, reference))
  }

  private static func rows(
    _ plan: PlanDocument, _ answers: PlanAnswers, _ scale: AxisScale, _ sentence: String,
    _ reference: (value: Double, label: String)
  ) -> Figure {
    let labels = UnitLabels(plan.units.map(\.name))
    let hasRanges = plan.units.contains { $0.continuousRange?.count == 2 }
    var table = FigureTable(
      caption: "\(answers.unit) of every unit; uniform: \(answers.text(answers.uniform))"
        + (hasRanges ? "; range of the continuous answer with one fold of the data left out" : ""),
      columns: ["unit", answers.unit, "against uniform"] + (hasRanges ? ["range"] : []))
    let rows = zip(plan.units, answers.values).map { unit, value in
      var row = RowChart.Row(
        label: labels.label(unit.name, characters: 34), name: unit.name, value: value,
        text: answers.text(value))
      var cells = [unit.name, answers.text(value), difference(value, answers)]
      if let range = unit.continuousRange, range.count == 2 {
        row.range = (range[0], range[1])
        cells.append("\(answers.text(range[0])) to \(answers.text(range[1]))")
      } else if hasRanges {
        cells.append("")
      }
      table.add(cells)
      return row
    }
    let chart = RowChart(
      rows: rows, scale: scale,
      axis: [answers.unit, hasRanges ? "whiskers: one fold left out" : "", labels.note],
      reference: reference)
    return Figure(sentence: sentence, table: table, drawing: chart.drawing)
  }

  private static func difference(_ value: Double, _ answers: PlanAnswers) -> String {
    let difference = value - answers.uniform
    return (difference > 0 ? "+" : difference < 0 ? "−" : "") + answers.text(abs(difference))
  }

  private static func profile(
    _ plan: PlanDocument, _ answers: PlanAnswers, _ scale: AxisScale, _ sentence: String,
    _ reference: (value: Double, label: String)
  ) -> Figure {
    let bins = UnitBins(count: plan.units.count)
    let spreads = bins.spreads(of: answers.values)
    let chart = ProfileChart(
      bins: bins, first: spreads, scale: scale,
      firstLabel: bins.isAggregated
        ? "\(answers.unit): median and range" : answers.unit, reference: reference)
    let table = SpreadTable.table(
      "\(answers.unit); uniform: \(answers.text(answers.uniform))", plan.units.map(\.name), bins,
      [(answers.unit, spreads)], answers.text)
    return Figure(sentence: sentence, table: table, drawing: chart.drawing)
  }
}
