internal import PlanFiles
internal import Workflow

/// What each unit adds to the regret, and the regret between its bounds.
struct TransferTable {
  private let document: TransferDocument

  init(_ document: TransferDocument) {
    self.document = document
  }

  func text(on page: Page) -> String {
    let answer = document.program == .pruning ? NumberText.share : NumberText.capacity
    var table = TextTable(columns: [
      .text("unit"), .number("quality", spare: 2), .number("on target", spare: 2),
      .number("plan"), .number("best"), .number("regret"), .number("gap", spare: 1),
      .number("certificate", spare: 0),
    ])
    for unit in document.units {
      table.add(
        [
          unit.name, NumberText.short(unit.sourceQuality), NumberText.short(unit.targetQuality),
          answer(unit.source), answer(unit.target),
          NumberText.short(unit.regret), NumberText.short(unit.gap),
          NumberText.short(unit.certificate),
        ], weight: unit.regret)
    }
    let constants = document.constants
    let condition = constants.conditionNumber.map(NumberText.short) ?? "infinite"
    let summary =
      "\nregret \(NumberText.short(document.regret)) of an objective of "
      + "\(NumberText.short(document.targetObjective)); qualities moved by "
      + "\(NumberText.short(document.delta))\n"
      + "at most \(NumberText.short(document.gap)) by the source's price; "
      + "certificate \(NumberText.short(document.certificate)), without bounds "
      + "\(NumberText.short(constants.unboundedCertificate)), L²δ²/2μ "
      + "\(NumberText.short(document.bound))\n"
      + "L \(NumberText.short(constants.lipschitz)), μ \(NumberText.short(constants.modulus)), "
      + "condition number \(condition)\n" + noise + verdict
    return page.text(of: table, below: summary, notes: document.notes)
  }

  private var noise: String {
    document.noiseRegret.map {
      "noise in the gains alone is expected to cost \(NumberText.short($0))\n"
    } ?? ""
  }

  private var verdict: String {
    guard let tolerance = document.tolerance else { return "" }
    return document.replan == true
      ? "plan again: the bound is beyond the tolerance \(NumberText.short(tolerance))\n"
      : "the plan holds within the tolerance \(NumberText.short(tolerance))\n"
  }
}
