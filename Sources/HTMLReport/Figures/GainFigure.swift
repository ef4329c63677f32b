internal import PlanFiles

/// Gains on an axis of powers of ten, with the gradient norms that a first-order method would use.
enum GainFigure {
  static func figure(_ contents: ReportContents) -> FigureOutcome {
    let units = contents.plan.units
    let gains = units.map(\.gain)
    let norms = contents.gradientNorms ?? []
    let hasNorms = norms.contains { $0 != nil }
    guard let scale = AxisScale(logarithmicFor: gains + norms.compactMap { $0 }) else {
      return .absent("No unit has a positive gain.")
    }
    let sentence = sentence(units, hasNorms: hasNorms)
    if units.count <= UnitBins.mostRows {
      return .drawn(rows(units, hasNorms ? norms : [], scale, sentence))
    }
    let bins = UnitBins(count: units.count)
    let first = bins.spreads(of: gains)
    let second = hasNorms ? bins.spreads(of: norms) : []
    let chart = ProfileChart(
      bins: bins, first: first, second: second, scale: scale,
      firstLabel: bins.isAggregated ? "gain: median, range" : "gain",
      secondLabel: hasNorms ? "gradient norm²" : "")
    let table = SpreadTable.table(
      "Gains" + (hasNorms ? " and squared gradient norms" : ""), units.map(\.name), bins,
      [("gain", first)] + (hasNorms ? [("gradient norm²", second)] : []), NumberText.short)
    return .drawn(
      Figure(sentence: sentence, table: table, drawing: chart.drawing))
  }

  private static func sentence(_ units: [PlanDocument.Unit], hasNorms: Bool) -> String {
    let gains = units.map(\.gain)
    let total = gains.reduce(0, +)
    let most = units.max { $0.gain < $1.gain }
    var text = ""
    if let most, total > 0, total.isFinite {
      text =
        "\(most.name) has the largest gain, \(NumberText.short(most.gain)): "
        + "\(NumberText.fixed(100 * most.gain / total, decimals: 1)) % of the sum of all."
    }
    let zeros = gains.count { $0 <= 0 }
    if zeros > 0 { text += " \(zeros) of \(gains.count) gains are 0, at the axis's low end." }
    let noisy = units.count { unit in unit.standardError.map { unit.gain < 2 * $0 } ?? false }
    if units.contains(where: { $0.standardError != nil }) {
      text +=
        noisy == 0
        ? " All can be told from sampling noise (at least two standard errors)."
        : " \(noisy) of \(gains.count) cannot be told from sampling noise (below two standard errors)."
    }
    if !hasNorms { text += " Gradient norms are shown with --scores FILE of layerbudget score." }
    return text
  }

  private static func rows(
    _ units: [PlanDocument.Unit], _ norms: [Double?], _ scale: AxisScale, _ sentence: String
  ) -> Figure {
    let labels = UnitLabels(units.map(\.name))
    let hasErrors = units.contains { $0.standardError != nil }
    var table = FigureTable(
      caption: "Gain of every unit",
      columns: ["unit", "gain"] + (hasErrors ? ["standard error"] : [])
        + (norms.isEmpty ? [] : ["gradient norm²"]))
    let rows = units.enumerated().map { index, unit in
      var row = RowChart.Row(
        label: labels.label(unit.name, characters: 34), name: unit.name, value: unit.gain,
        text: NumberText.short(unit.gain))
      if let error = unit.standardError { row.range = (unit.gain - error, unit.gain + error) }
      row.second = norms.isEmpty ? nil : norms[index]
      table.add(
        [unit.name, NumberText.short(unit.gain)]
          + (hasErrors ? [unit.standardError.map(NumberText.short) ?? ""] : [])
          + (norms.isEmpty ? [] : [norms[index].map(NumberText.short) ?? ""]))
      return row
    }
    var chart = RowChart(
      rows: rows, scale: scale,
      axis: ["gain", hasErrors ? "whiskers: ± one standard error" : "", labels.note])
    if !norms.isEmpty { chart.legend = ("gain", "gradient norm²") }
    return Figure(sentence: sentence, table: table, drawing: chart.drawing)
  }
}
