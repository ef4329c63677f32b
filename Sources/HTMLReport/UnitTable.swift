internal import PlanFiles

/// Everything the charts draw and more, a row per unit.
struct UnitTable {
  let contents: ReportContents

  /// A browser lays out a table as a whole when it is opened; so many rows open at once.
  static let mostRows = 500

  /// The table in pieces of neighbouring units, each with its positions, counted from 1.
  var pieces: [(range: ClosedRange<Int>, table: FigureTable)] {
    let all = table
    return stride(from: 0, to: all.rows.count, by: Self.mostRows).map { start in
      let end = min(start + Self.mostRows, all.rows.count)
      var piece = FigureTable(
        caption: "Units \(NumberText.grouped(start + 1)) to \(NumberText.grouped(end))",
        columns: all.columns)
      for row in all.rows[start..<end] { piece.add(row) }
      return (start + 1...end, piece)
    }
  }

  var table: FigureTable {
    let plan = contents.plan
    let answers = PlanAnswers(plan)
    let isPruning = answers.isPruning
    let answer = isPruning ? NumberText.share : NumberText.capacity
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
      cells += [NumberText.short(unit.quality), answer(unit.continuous)]
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
