internal import PlanFiles
internal import Workflow

/// A plan as a table with a bar per unit and a sentence on budget, price and certificate.
struct PlanTable {
  private let plan: PlanDocument
  private let run: RunDocument

  // What some unit has: asked once, not for every row.
  private let hasIntegers: Bool
  /// Whether the jackknife over folds said how sure the answers are.
  private let hasErrors: Bool
  private let hasPatterns: Bool

  init(_ plan: PlanDocument, _ run: RunDocument) {
    self.plan = plan
    self.run = run
    hasIntegers = plan.units.contains { $0.integer != nil }
    hasErrors = plan.units.contains { $0.continuousStandardError != nil }
    hasPatterns = plan.units.contains { $0.pattern != nil }
  }

  func text(on page: Page) -> String {
    var table = TextTable(columns: columns, bar: page.bar)
    let largest = plan.units.map(\.continuous).max() ?? 0
    for unit in plan.units {
      let share =
        plan.program == .pruning ? unit.continuous : unit.continuous / max(largest, 1e-300)
      table.add(
        [unit.name, NumberText.short(unit.gain) + mark(unit), NumberText.short(unit.quality)]
          + cells(of: unit) + [unit.atBound ?? ""], weight: share)
    }
    return page.text(of: table, below: "\n" + summary, notes: plan.notes)
  }

  /// `~` behind a gain that cannot be told from sampling noise.
  private func mark(_ unit: PlanDocument.Unit) -> String {
    unit.standardError.map { unit.gain < 2 * $0 } == true ? " ~" : ""
  }

  private var columns: [TextTable.Column] {
    let answer: [TextTable.Column] =
      plan.program == .pruning
      ? [.number("share")] + (hasErrors ? [.number("±", spare: 0)] : [])
        + [.number("remove"), .number("of weights", spare: 1)]
        + (hasPatterns ? [.number("pattern")] : [])
      : [.number("capacity")] + (hasErrors ? [.number("±", spare: 0)] : [])
        + (hasIntegers ? [.number("whole")] : [])
    return [.text("unit"), .number("gain", spare: 3), .number("quality", spare: 2)] + answer
      + [.text("bound")]
  }

  private func cells(of unit: PlanDocument.Unit) -> [String] {
    switch plan.program {
    case .pruning:
      return [NumberText.share(unit.continuous)] + error(of: unit, NumberText.share)
        + [NumberText.grouped(unit.integer ?? 0), NumberText.grouped(unit.weights ?? 0)]
        + (hasPatterns ? [unit.pattern ?? ""] : [])
    case .capacity:
      return [NumberText.capacity(unit.continuous)] + error(of: unit, NumberText.capacity)
        + (hasIntegers ? [NumberText.grouped(unit.integer ?? 0)] : [])
    }
  }

  private func error(of unit: PlanDocument.Unit, _ text: (Double) -> String) -> [String] {
    hasErrors ? [unit.continuousStandardError.map(text) ?? ""] : []
  }

  /// This plan's predicted loss change first, then those of other plans at the same sparsity.
  private func lossText(_ changes: [String: Double]) -> String {
    let own: String
    if case .text(let name)? = plan.parameters["psi"] { own = name } else { own = "" }
    let others = changes.filter { $0.key != own }.sorted { $0.key < $1.key }.map {
      "\($0.key) \(NumberText.short($0.value))"
    }
    return "predicted loss change \(NumberText.short(plan.predictedLossChange ?? 0)) (\(own)); "
      + others.joined(separator: ", ")
  }

  /// This plan's predicted loss decrease first, then those of other plans of the same budget.
  private func decreaseText(_ decreases: [String: Double]) -> String {
    let own: String
    if case .text(let name)? = plan.parameters["utility"] { own = name } else { own = "" }
    let others = decreases.filter { $0.key != own }.sorted { $0.key < $1.key }.map {
      "\($0.key) \(NumberText.short($0.value))"
    }
    return "predicted loss decrease \(NumberText.short(plan.predictedLossDecrease ?? 0)) (\(own)); "
      + others.joined(separator: ", ")
  }

  /// `96 of 96 slots`, `60 of 60 (in the units' costs)`.
  private var spending: String {
    let unit = plan.budgetUnit
    return "\(NumberText.amount(plan.spentInteger ?? plan.spent)) of \(unit.text(plan.budget))"
      + (unit.note.map { " (\($0))" } ?? "")
  }

  private var summary: String {
    let certificate = plan.certificate
    let spent =
      plan.program == .pruning
      ? "removes \(NumberText.grouped(Int(plan.spentInteger ?? plan.spent))) weights"
      : "spends \(spending)"
    let losses =
      plan.predictedLossChanges.map(lossText) ?? plan.predictedLossDecreases.map(decreaseText)
    var lines = [
      "\(plan.units.count) units, \(spent) at price \(NumberText.short(plan.price))",
      "duality gap \(NumberText.short(certificate.gap)), "
        + "KKT residual \(NumberText.short(certificate.kktResidual)), "
        + "budget left \(NumberText.short(certificate.integerBudgetLeft ?? certificate.budgetLeft))",
    ]
    if let losses { lines.insert(losses, at: 1) }
    if let noise = plan.noiseRegret {
      lines.append(
        "noise in the gains is expected to cost \(NumberText.short(noise)) of the objective")
    }
    if let search = run.search {
      lines.append(
        "\(run.ranks) rank\(run.ranks == 1 ? "" : "s"), \(search.allreduces) allreduces "
          + "(\(search.method)), \(NumberText.fixed(run.seconds, decimals: 2)) s")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
