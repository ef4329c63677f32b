internal import PlanFiles

/// The answers of a plan as charts show them: whole numbers where every unit has one.
///
/// Capacity: x in slots, ranks or bytes. Pruning: the removed share of the unit's weights.
struct PlanAnswers {
  let values: [Double]
  /// Whether `values` are the plan's whole numbers.
  let isWhole: Bool
  /// What each unit would get if all got the same of the same spending: Σ c x / Σ c, or Σ z / Σ n.
  let uniform: Double
  let isPruning: Bool
  /// `slots`, `rank`, `bytes`, or `share removed`.
  let unit: String

  init(_ plan: PlanDocument) {
    let isPruning = plan.program == .pruning
    let isWhole = plan.units.allSatisfy { $0.integer != nil && (!isPruning || $0.weights != nil) }
    self.isPruning = isPruning
    self.isWhole = isWhole
    values = plan.units.map { unit in
      guard isWhole, let whole = unit.integer else { return unit.continuous }
      return isPruning ? Double(whole) / Double(max(unit.weights ?? 1, 1)) : Double(whole)
    }
    let costs = plan.units.map { isPruning ? Double($0.weights ?? 1) : $0.cost ?? 1 }
    let total = costs.reduce(0, +)
    uniform = total > 0 ? zip(values, costs).reduce(0) { $0 + $1.0 * $1.1 } / total : 0
    if isPruning {
      unit = "share removed"
    } else if case .text(let text) = plan.parameters["unit"] {
      unit = text
    } else {
      unit = "capacity"
    }
  }

  func text(_ value: Double) -> String {
    if isPruning { return NumberText.fixed(100 * value, decimals: 1) + " %" }
    if value == value.rounded(), abs(value) < 1e15 { return NumberText.grouped(Int(value)) }
    return NumberText.short(value)
  }

  /// `8 slots`, `45.1 %`.
  func textWithUnit(_ value: Double) -> String {
    guard !isPruning else { return text(value) }
    let one = unit.hasSuffix("s") ? String(unit.dropLast()) : unit
    return "\(text(value)) \(unit == "capacity" ? "of capacity" : value == 1 ? one : one + "s")"
  }
}
