public import PlanFiles

/// The numbers of one scored module as a row of a table.
public enum ModuleColumns {
  public static let titles = [
    "module", "gain", "±", "plain", "bounds", "noise", "gradient norm²", "damping", "π",
    "condition", "clamped", "precision", "error",
  ]

  /// The columns that a narrow screen does without, in that order.
  public static let spared = [
    "error", "clamped", "gradient norm²", "plain", "bounds", "π", "precision", "noise", "condition",
    "±", "damping",
  ]

  public static func cells(_ module: ScoresDocument.Module) -> [String] {
    func text(_ value: Double?) -> String { value.map(NumberText.short) ?? "" }
    return [
      module.name, text(module.gain), text(module.standardError),
      text(module.gainPlain ?? module.gain),
      text(module.gainLowerBound) + " … " + text(module.gainUpperBound),
      text(module.predictedNoise), text(module.gradientNormSquared), text(module.damping),
      text(module.pi), text(module.conditionNumber), clamped(module), module.precision,
      text(module.errorEstimate),
    ]
  }

  /// `3 (1.2e-09)`: how many eigenvalues were negative, and the largest over the largest eigenvalue.
  private static func clamped(_ module: ScoresDocument.Module) -> String {
    guard let count = module.clampedEigenvalues else { return "" }
    guard count > 0 else { return "0" }
    return "\(count)" + (module.clampedRatio.map { " (\(NumberText.short($0)))" } ?? "")
  }
}
