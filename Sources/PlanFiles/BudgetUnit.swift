/// What the numbers of a budget count, in the words of whoever gave it.
///
/// A plan's `budget_unit` is `costs` where the budget was a bare number. Nobody asked for costs: at a cost
/// of 1 the number counts slots (ranks, bytes), at the parameter counts it counts parameters.
public struct BudgetUnit: Sendable, Equatable {
  /// `slots`, `parameters`, `bytes`, `weights`; nil where only the one who gave the costs knows.
  public let name: String?
  /// What to know of a number that has no such name: `in the units' costs`, `36,864 a slot`.
  public let note: String?

  public init(_ program: PlanDocument.Program, _ parameters: [String: ParameterValue]) {
    func text(_ key: String) -> String? {
      if case .text(let text) = parameters[key] { text } else { nil }
    }
    let capacity = text("unit").map { $0 == "rank" ? "ranks" : $0 }
    switch (program, text("budget_unit"), parameters["cost"]) {
    case (.pruning, _, _): (name, note) = ("weights", nil)
    case (_, let said?, _) where said != "costs": (name, note) = (said, nil)
    case (_, _, .number(1)): (name, note) = (capacity, nil)
    case (_, _, .text("parameters")): (name, note) = ("parameters", nil)
    case (_, _, .number(let cost)):
      let one = capacity.map { String($0.dropLast()) } ?? "unit of capacity"
      (name, note) = (nil, "\(NumberText.amount(cost)) a \(one)")
    case (_, _, .text("table")): (name, note) = (nil, "in the units' costs")
    default: (name, note) = (nil, nil)
    }
  }

  /// An amount with its unit, where that has a name: `96 slots`.
  public func text(_ amount: Double) -> String {
    NumberText.amount(amount) + (name.map { " \($0)" } ?? "")
  }
}

extension PlanDocument {
  public var budgetUnit: BudgetUnit { BudgetUnit(program, parameters) }
}
