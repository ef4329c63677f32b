internal import PlanFiles

/// The plan in one sentence and a few figures.
struct ReportSummary {
  private let plan: PlanDocument
  private let answers: PlanAnswers

  init(_ plan: PlanDocument) {
    self.plan = plan
    answers = PlanAnswers(plan)
  }

  var title: String {
    answers.isPruning ? "Pruning plan" : "Capacity plan"
  }

  /// `12 units share 160 slots …`
  var sentence: String {
    let count = "\(NumberText.grouped(plan.units.count)) unit\(plan.units.count == 1 ? "" : "s")"
    let least = answers.text(answers.values.min() ?? 0)
    let most = answers.text(answers.values.max() ?? 0)
    if answers.isPruning {
      return "\(count) lose \(NumberText.amount(spent)) of \(unit.text(totalWeights)), between "
        + "\(least) and \(most) each; uniform would be \(answers.text(answers.uniform))."
    }
    return "\(count) share a budget of \(unit.text(plan.budget)) and get between \(least) and "
      + "\(answers.textWithUnit(answers.values.max() ?? 0)) each; uniform would be "
      + "\(answers.text(answers.uniform))."
  }

  /// Name, value and what to know of it.
  var keyFigures: [(name: String, value: String, note: String)] {
    let certificate = plan.certificate
    let left = certificate.integerBudgetLeft ?? certificate.budgetLeft
    var figures: [(name: String, value: String, note: String)] = [
      ("budget", NumberText.amount(plan.budget), budgetNote),
      ("spent", NumberText.amount(spent), budgetState(left)),
      ("price λ", NumberText.short(plan.price), priceNote),
      ("duality gap", NumberText.short(certificate.gap), "0 is the optimum"),
      (
        "at a bound",
        NumberText.amount(Double(certificate.unitsAtLower) + Double(certificate.unitsAtUpper)),
        "\(NumberText.grouped(certificate.unitsAtLower)) lower, "
          + "\(NumberText.grouped(certificate.unitsAtUpper)) upper"
      ),
    ]
    if let noise = plan.noiseRegret {
      figures.append(("cost of noise", NumberText.short(noise), "expected, of the objective"))
    }
    return figures
  }

  /// What this and other ways to divide the budget are predicted to do to the loss.
  var comparison: FigureTable? {
    guard let losses = plan.predictedLossChanges ?? plan.predictedLossDecreases else { return nil }
    let isDecrease = plan.predictedLossChanges == nil
    var table = FigureTable(
      caption:
        "Predicted \(isDecrease ? "decrease" : "change") of the loss, to second order, of ways to "
        + "divide the same budget"
        + (isDecrease
          ? "" : ". A local model: at large sparsities judge by held-out loss"),
      columns: ["way", isDecrease ? "decrease" : "change"])
    // The best first.
    let sign = isDecrease ? -1.0 : 1
    let ways = losses.sorted { (sign * $0.value, $0.key) < (sign * $1.value, $1.key) }
    let own = plan.parameters[isDecrease ? "utility" : "psi"]
    for (name, value) in ways {
      let mark = own == .text(name) ? " (this plan)" : ""
      table.add([name + mark, NumberText.short(value)])
    }
    return table
  }

  private var spent: Double { plan.spentInteger ?? plan.spent }

  private var totalWeights: Double { plan.units.reduce(0) { $0 + Double($1.weights ?? 0) } }

  private var unit: BudgetUnit { plan.budgetUnit }

  private var budgetNote: String {
    answers.isPruning ? "weights to remove" : unit.name ?? unit.note ?? ""
  }

  private func budgetState(_ left: Double) -> String {
    // What rounding leaves of a budget that is met.
    if abs(left) <= 1e-9 * max(abs(plan.budget), 1) { return "the budget is met" }
    return left > 0
      ? "\(NumberText.amount(left)) left over" : "\(NumberText.amount(-left)) beyond the budget"
  }

  private var priceNote: String {
    if answers.isPruning {
      // λ = b − μ, and μ is mostly small beside b.
      guard case .number(let mu) = plan.parameters["mu"] else {
        return "of one more removed weight"
      }
      return "b − μ, μ = \(NumberText.short(mu))"
    }
    return plan.price == 0 ? "the budget does not bind" : "of one more unit of budget"
  }
}
