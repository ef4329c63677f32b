internal import PlanFiles

/// Slices and seconds of every rank, from the run file.
enum RankFigure {
  static func figure(_ run: RunDocument?) -> FigureOutcome {
    guard let run else { return .absent(RunFigures.noRun) }
    guard !run.slices.isEmpty else { return .absent("The run file names no slice.") }
    let seconds = run.slices.map(\.seconds)
    guard let slowest = seconds.max(), slowest > 0 else {
      return .absent(
        "\(run.ranks) rank\(run.ranks == 1 ? "" : "s"), \(NumberText.fixed(run.seconds, decimals: 2)) s in "
          + "all; no rank had gains to compute.")
    }
    let mean = seconds.reduce(0, +) / Double(seconds.count)
    let ranks = "\(run.slices.count) rank\(run.slices.count == 1 ? "" : "s")"
    let sentence =
      "\(ranks), \(NumberText.fixed(run.seconds, decimals: 2)) s in all"
      + (run.slices.count == 1
        ? "."
        : "; the slowest took \(NumberText.fixed(slowest / mean, decimals: 2)) times the mean to compute "
          + "its gains.")
    let scale = AxisScale(linearTo: slowest)
    if run.slices.count > UnitBins.mostRows {
      let bins = UnitBins(count: run.slices.count)
      let spreads = bins.spreads(of: seconds)
      let chart = ProfileChart(
        bins: bins, first: spreads, scale: scale, firstLabel: "seconds",
        reference: (mean, "mean \(NumberText.short(mean)) s"), subject: "rank")
      let table = SpreadTable.table(
        "Seconds of ranks", run.slices.map { "rank \($0.rank)" }, bins, [("seconds", spreads)],
        NumberText.short)
      return .drawn(Figure(sentence: sentence, table: table, drawing: chart.drawing))
    }
    var table = FigureTable(
      caption: "What every rank owned",
      columns: ["rank", "units", "modules", "predicted flops", "seconds", "peak memory"])
    let rows = run.slices.map { slice in
      table.add([
        "\(slice.rank)", NumberText.grouped(slice.units), NumberText.grouped(slice.modules),
        NumberText.short(slice.operations), NumberText.short(slice.seconds),
        NumberText.bytes(slice.peakBytes),
      ])
      return RowChart.Row(
        label: "rank \(slice.rank)", name: "rank \(slice.rank), \(slice.units) units",
        value: slice.seconds, text: "\(NumberText.short(slice.seconds)) s")
    }
    let chart = RowChart(rows: rows, scale: scale, axis: ["seconds of reading and computing gains"])
    return .drawn(Figure(sentence: sentence, table: table, drawing: chart.drawing))
  }
}

enum RunFigures {
  static let noRun =
    "There is no run file beside the plan; give it with --run FILE to see how the plan came about."
}
