internal import PlanFiles
internal import Workflow

/// Scores as a table with a bar per unit.
struct ScoreTable {
  private let scores: ScoresDocument
  private let color: Bool

  init(_ scores: ScoresDocument, color: Bool) {
    self.scores = scores
    self.color = color
  }

  /// A row per module: the numbers by which to judge its gain.
  var modules: String {
    var table = TextTable(
      columns: ModuleColumns.titles.enumerated().map { index, title in
        index == 0 || title == "precision" ? .text(title) : .number(title)
      })
    for module in scores.units.flatMap(\.modulesDetail) { table.add(ModuleColumns.cells(module)) }
    return table.text
  }

  var text: String {
    // Only a checkpoint says what the weights are worth.
    let knowsDamage = scores.units.contains { $0.damage != nil }
    var table = TextTable(
      columns: [
        .text("unit"), .number("modules"), .number("parameters"), .number("gain"), .number("±"),
        .number("plain"), .number("noise"), .number("gradient norm²"),
      ] + (knowsDamage ? [.number("damage")] : []) + [.number("quality"), .text("")])
    let largest = scores.units.map(\.gain).max() ?? 0
    let bar = Bar(width: 24, color: color)
    for unit in scores.units {
      let damage = unit.damage.map(NumberText.short) ?? ""
      let start = [
        unit.name, "\(unit.modules.count)", NumberText.grouped(unit.parameters),
        NumberText.short(unit.gain) + (unit.isDistinguishable == false ? " ~" : ""),
        unit.standardError.map(NumberText.short) ?? "",
        NumberText.short(unit.gainPlain ?? unit.gain),
        unit.predictedNoise.map(NumberText.short)
          ?? unit.noiseShare.map { NumberText.fixed($0 * 100, decimals: 0) + " %" } ?? "",
        NumberText.short(unit.gradientNormSquared ?? 0),
      ]
      table.add(
        start + (knowsDamage ? [damage] : []) + [
          NumberText.short(unit.quality ?? 0), bar.text(unit.gain / max(largest, 1e-300)),
        ])
    }
    return table.text + "\n\(scores.units.count) units, \(scores.curvature) curvature, "
      + "damping \(scores.damping)\n"
  }
}
