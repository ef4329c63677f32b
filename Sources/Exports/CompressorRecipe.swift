internal import PlanFiles

/// A recipe of llm-compressor: one modifier for every share of the plan.
///
/// Each modifier names its modules by patterns that match one module, whatever leads its name. A list of
/// sparsities in a single modifier would depend on the order of the model's modules. Modifiers of one
/// type need groups of their own in a recipe, as its keys must differ.
public enum CompressorRecipe {
  public enum Modifier: String, CaseIterable, Sendable {
    case sparsegpt
    case wanda

    var type: String {
      switch self {
      case .sparsegpt: "SparseGPTModifier"
      case .wanda: "WandaPruningModifier"
      }
    }
  }

  /// What one modifier does.
  private struct Removal: Hashable {
    let share: Double
    /// `N:M`; `0:0` for none.
    let mask: String
  }

  static func export(
    _ planned: PlannedUnits, _ modules: ExportedModules, with modifier: Modifier
  ) throws(ExportError) -> Exported {
    try modules.requireModules("llm-compressor")
    var order: [Removal] = []
    var targets: [Removal: [String]] = [:]
    for module in modules.modules {
      let unit = planned.units[module.unit]
      guard let removal = try removal(of: unit, planned, modifier) else { continue }
      if targets[removal] == nil { order.append(removal) }
      targets[removal, default: []].append(module.name)
    }
    guard !order.isEmpty else { throw ExportError("removes no weight; there is nothing to prune") }

    var text = "pruning_stage:\n"
    for (number, removal) in order.enumerated() {
      text += """
          share_\(number)_modifiers:
            \(modifier.type):
              sparsity: \(removal.share)
              mask_structure: "\(removal.mask)"
              targets:

        """
      for name in targets[removal] ?? [] {
        text += "        - \(quoted(#"re:(.*\.)?"# + ExactPattern.escaped(name) + "$"))\n"
      }
    }
    let count = targets.values.reduce(0) { $0 + $1.count }
    return Exported(
      text: text,
      summary:
        "\(modifier.type), \(count) modules at \(order.count) share\(order.count == 1 ? "" : "s")"
        + (count < modules.modules.count ? ", \(modules.modules.count - count) not pruned" : ""))
  }

  /// Nil where nothing goes: a sparsity of 0 would still remove a weight, and 0 of M means no pattern.
  private static func removal(
    of unit: PlanOutline.Unit, _ planned: PlannedUnits, _ modifier: Modifier
  ) throws(ExportError) -> Removal? {
    if let pattern = unit.pattern {
      let numbers = pattern.split(separator: ":").compactMap { Int($0) }
      guard numbers.count == 2, numbers[0] >= 0, numbers[1] >= max(numbers[0], 1) else {
        throw ExportError("unit \"\(unit.name)\": the pattern \"\(pattern)\" is not N:M with N ≤ M")
      }
      guard numbers[0] > 0 else { return nil }
      return Removal(share: Double(numbers[0]) / Double(numbers[1]), mask: pattern)
    }
    let share = try planned.share(of: unit)
    guard share > 0 else { return nil }
    guard share < 1 || modifier == .wanda else {
      throw ExportError(
        "unit \"\(unit.name)\" loses all weights, which SparseGPTModifier cannot do; plan with --max 0.99, "
          + "or give --method wanda")
    }
    return Removal(share: share, mask: "0:0")
  }

  /// YAML in single quotes, where only they need doubling and a backslash is itself.
  private static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }
}
