internal import PlanFiles
internal import Workflow

/// Scores as a table with a bar per unit.
struct ScoreTable {
  private let scores: ScoresDocument

  init(_ scores: ScoresDocument) {
    self.scores = scores
  }

  /// A row per module: the numbers by which to judge its gain.
  private var modules: TextTable {
    var table = TextTable(
      columns: ModuleColumns.titles.enumerated().map { index, title in
        if index == 0 { return .text(title) }
        let spare = ModuleColumns.spared.firstIndex(of: title)
        return title == "precision" ? .text(title, spare: spare) : .number(title, spare: spare)
      })
    for module in scores.units.flatMap(\.modulesDetail) {
      table.add(ModuleColumns.cells(module), weight: module.gain)
    }
    return table
  }

  /// - Parameter details: whether the modules come first.
  func text(details: Bool, on page: Page) -> String {
    // Only a checkpoint says what the weights are worth.
    let knowsDamage = scores.units.contains { $0.damage != nil }
    let knowsError = scores.units.contains { $0.standardError != nil }
    var table = TextTable(
      columns: [
        .text("unit"), .number("modules", spare: 1), .number("parameters", spare: 3),
        .number("gain"),
      ] + (knowsError ? [.number("±", spare: 4)] : []) + [
        .number("plain", spare: 0), .number("noise", spare: 2), .number("gradient norm²", spare: 0),
      ] + (knowsDamage ? [.number("damage")] : []) + [.number("quality")], bar: page.bar)
    let largest = scores.units.map(\.gain).max() ?? 0
    for unit in scores.units {
      let damage = unit.damage.map(NumberText.short) ?? ""
      let start =
        [
          unit.name, "\(unit.modules.count)", NumberText.grouped(unit.parameters),
          NumberText.short(unit.gain) + (unit.isDistinguishable == false ? " ~" : ""),
        ] + (knowsError ? [unit.standardError.map(NumberText.short) ?? ""] : []) + [
          NumberText.short(unit.gainPlain ?? unit.gain),
          unit.predictedNoise.map(NumberText.short)
            ?? unit.noiseShare.map { NumberText.fixed($0 * 100, decimals: 0) + " %" } ?? "",
          NumberText.short(unit.gradientNormSquared ?? 0),
        ]
      table.add(
        start + (knowsDamage ? [damage] : []) + [
          NumberText.short(unit.quality ?? 0)
        ], weight: unit.gain / max(largest, 1e-300))
    }
    let summary =
      "\n\(scores.units.count) units, \(scores.curvature) curvature, damping \(scores.damping)\n"
    let half = details ? page.half : page
    return (details ? half.text(of: modules, below: "\n") : "")
      + half.text(of: table, below: summary, notes: scores.notes)
  }
}
