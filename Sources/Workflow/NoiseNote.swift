internal import PlanFiles

/// Tells which units' gains cannot be told from sampling noise.
enum NoiseNote {
  static func of(_ units: [PlanDocument.Unit]) -> [String] {
    note(
      units.filter { unit in unit.standardError.map { unit.gain < 2 * $0 } ?? false }.map(\.name))
  }

  static func of(_ units: [ScoresDocument.Unit]) -> [String] {
    note(units.filter { $0.isNoise ?? false }.map(\.name))
  }

  private static func note(_ names: [String]) -> [String] {
    guard !names.isEmpty else { return [] }
    let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", ..." : "")
    return [
      "\(names.count) unit\(names.count == 1 ? "" : "s") with a gain below two standard errors, not "
        + "distinguishable from noise: \(shown); more calibration sequences would tell"
    ]
  }
}
