internal import PlanFiles

/// How the searches of a run closed in on their answers, from the run file: what each round left of the
/// bracket of γ and of the price. Files without brackets show the rounds of every search.
enum SearchFigure {
  static func figure(_ run: RunDocument?) -> FigureOutcome {
    guard let run else { return .absent(RunFigures.noRun) }
    guard let search = run.search else { return .absent("The run file names no search.") }
    guard !search.stages.isEmpty else {
      return .absent("The run needed no search; \(search.allreduces) allreduces in all.")
    }
    let traced = tracedRows(search.stages)
    let chart =
      traced.isEmpty
      ? stageChart(search.stages)
      : RowChart(
        rows: traced, scale: AxisScale(linearTo: 64),
        axis: ["candidates left, as a power of two", "each round is one allreduce"])
    let sentence =
      "\(NumberText.grouped(search.trials)) trial prices in "
      + "\(NumberText.grouped(search.stages.reduce(0) { $0 + $1.rounds })) rounds; "
      + "\(search.allreduces) allreduces in all, with normalisation and certificate "
      + "(\(search.method) search)." + undrawn(search.stages, besides: traced.count)
    return .drawn(
      Figure(sentence: sentence, table: table(search), drawing: chart.drawing))
  }

  private static func table(_ search: RunDocument.Search) -> FigureTable {
    var table = FigureTable(
      caption: "Searches of the run, method \(search.method)",
      columns: ["search", "rounds", "trial prices", "candidates left after each round"])
    for stage in search.stages {
      table.add([
        stage.purpose, "\(stage.rounds)", NumberText.grouped(stage.trials),
        stage.bracketBits.map { $0.map(candidates).joined(separator: ", ") } ?? "not noted",
      ])
    }
    return table
  }

  /// The searches that have no rows: others than those of `tracedRows`.
  private static func undrawn(_ stages: [RunDocument.Stage], besides rows: Int) -> String {
    var others: [String] = []
    for stage in stages where rows > 0 && !["gamma", "price"].contains(stage.purpose) {
      let name = stage.purpose.replacing("-", with: " ")
      if !others.contains(name) { others.append(name) }
    }
    return others.isEmpty ? "" : " Not drawn: \(others.joined(separator: ", "))."
  }

  /// A row per round of the searches for γ and for prices. Plans that are compared have prices, too: the
  /// second search is `price 2`.
  private static func tracedRows(_ stages: [RunDocument.Stage]) -> [RowChart.Row] {
    var counts: [String: Int] = [:]
    return stages.filter { ["gamma", "price"].contains($0.purpose) }.flatMap { stage in
      counts[stage.purpose, default: 0] += 1
      let place = counts[stage.purpose] ?? 1
      let search = place == 1 ? stage.purpose : "\(stage.purpose) \(place)"
      return (stage.bracketBits ?? []).enumerated().map { round, bits in
        let name = "\(search), round \(round + 1)"
        return RowChart.Row(label: name, name: name, value: Double(bits), text: candidates(bits))
      }
    }
  }

  private static func candidates(_ bits: Int) -> String {
    bits == 0 ? "found" : AxisScale.power(of: 2, bits)
  }

  private static func stageChart(_ stages: [RunDocument.Stage]) -> RowChart {
    let rows = stages.map { stage in
      RowChart.Row(
        label: stage.purpose, name: stage.purpose, value: Double(stage.rounds),
        text: "\(stage.rounds)")
    }
    return RowChart(
      rows: rows, scale: AxisScale(linearTo: rows.map(\.value).max() ?? 1),
      axis: ["rounds, each one allreduce"])
  }
}
