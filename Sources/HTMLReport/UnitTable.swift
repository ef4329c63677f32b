internal import PlanFiles

/// Everything the charts draw and more, a row per unit.
struct UnitTable {
  let contents: ReportContents

  var table: FigureTable {
    let plan = contents.plan
    let answers = PlanAnswers(plan)
    let isPruning = answers.isPruning
    let hasWhole = plan.units.contains { $0.integer != nil }
    let hasPattern = plan.units.contains { $0.pattern != nil }
    let hasWorth = plan.units.contains { $0.boundWorth != nil }
    let norms = contents.gradientNorms
    var table = FigureTable(
      caption: "All units",
      columns: ["unit", "gain"] + (norms == nil ? [] : ["gradient norm²"])
        + ["quality", isPruning ? "share, continuous" : "continuous"]
        + (hasWhole ? [isPruning ? "weights removed" : "whole"] : [])
        + [isPruning ? "weights" : "cost", "lower", "upper", "at bound"]
        + (hasWorth ? ["bound's worth"] : []) + (hasPattern ? ["pattern"] : []))
    for (index, unit) in plan.units.enumerated() {
      var cells = [unit.name, NumberText.short(unit.gain)]
      if let norms { cells.append(norms[index].map(NumberText.short) ?? "") }
      cells += [NumberText.short(unit.quality), NumberText.short(unit.continuous)]
      if hasWhole { cells.append(unit.integer.map(NumberText.grouped) ?? "") }
      cells.append(
        isPruning
          ? unit.weights.map(NumberText.grouped) ?? "" : unit.cost.map(NumberText.short) ?? "")
      cells += [
        NumberText.short(unit.lower), unit.upper.isFinite ? NumberText.short(unit.upper) : "∞",
        unit.atBound ?? "",
      ]
      if hasWorth { cells.append(unit.boundWorth.map(NumberText.short) ?? "") }
      if hasPattern { cells.append(unit.pattern ?? "") }
      table.add(cells)
    }
    return table
  }
}
