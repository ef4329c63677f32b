internal import PlanFiles

/// Tells which units' gains cannot be told from sampling noise.
enum NoiseNote {
  static func of(_ units: [PlanDocument.Unit]) -> [String] {
    notes(units.map { Judged($0.name, $0.gain, $0.standardError, $0.predictedNoise) })
  }

  static func of(_ units: [ScoresDocument.Unit]) -> [String] {
    notes(units.map { Judged($0.name, $0.gain, $0.standardError, $0.predictedNoise) })
  }

  private struct Judged {
    let name: String
    let gain: Double
    let standardError: Double?
    let predictedNoise: Double?

    init(_ name: String, _ gain: Double, _ standardError: Double?, _ predictedNoise: Double?) {
      self.name = name
      self.gain = gain
      self.standardError = standardError
      self.predictedNoise = predictedNoise
    }
  }

  private static func notes(_ units: [Judged]) -> [String] {
    note(
      units.filter { unit in unit.standardError.map { unit.gain < 2 * $0 } ?? false },
      "with a gain below two standard errors, not distinguishable from noise",
      "more calibration sequences would tell")
      + note(
        units.filter { unit in unit.predictedNoise.map { $0 > unit.gain / 2 } ?? false },
        "of whose gain more than half is predicted to be sampling noise",
        "collect gradient_folds, and the gain is cross-fitted")
  }

  private static func note(_ units: [Judged], _ what: String, _ advice: String) -> [String] {
    guard !units.isEmpty else { return [] }
    let shown =
      units.prefix(5).map(\.name).joined(separator: ", ") + (units.count > 5 ? ", ..." : "")
    return ["\(units.count) unit\(units.count == 1 ? "" : "s") \(what): \(shown); \(advice)"]
  }
}
