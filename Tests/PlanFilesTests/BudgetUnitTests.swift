import Testing

@testable import PlanFiles

@Suite struct BudgetUnitTests {
  @Test(
    "A budget counts what its giver would say",
    arguments: [
      ("slots", "slots", .number(36864), "96 slots", nil),
      ("slots", "bytes", .text("expert bytes"), "96 bytes", nil),
      ("slots", "costs", .number(1), "96 slots", nil),
      ("rank", "costs", .number(1), "96 ranks", nil),
      ("rank", "parameters", .text("in + out"), "96 parameters", nil),
      ("slots", "costs", .text("parameters"), "96 parameters", nil),
      ("slots", "costs", .number(36864), "96", "36,864 a slot"),
      ("rank", "costs", .number(2.5), "96", "2.500 a rank"),
      ("slots", "costs", .text("table"), "96", "in the units' costs"),
      ("slots", "costs", nil, "96", nil),
    ] as [(String, String, ParameterValue?, String, String?)])
  func words(kind: String, said: String, cost: ParameterValue?, text: String, note: String?) {
    var parameters: [String: ParameterValue] = ["unit": .text(kind), "budget_unit": .text(said)]
    parameters["cost"] = cost
    let unit = BudgetUnit(.capacity, parameters)
    #expect(unit.text(96) == text)
    #expect(unit.note == note)
    #expect(BudgetUnit(.pruning, parameters).text(96) == "96 weights")
  }

  @Test(
    "Amounts are whole where rounding alone says otherwise",
    arguments: [
      (96, "96"), (96.000000000000014, "96"), (95.97, "95.97"), (626_688.4, "626,688"), (0, "0"),
      (1e-12, "1.000e-12"), (0.25, "0.2500"), (-145_152, "-145,152"), (1e15, "1.000e+15"),
    ] as [(Double, String)])
  func amounts(value: Double, text: String) {
    #expect(NumberText.amount(value) == text)
  }
}
