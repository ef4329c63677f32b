internal import PlanFiles
internal import Workflow

/// What each unit adds to the regret, and the regret between its bounds.
struct TransferTable {
  private let document: TransferDocument

  init(_ document: TransferDocument) {
    self.document = document
  }

  var text: String {
    var table = TextTable(columns: [
      .text("unit"), .number("quality"), .number("on target"), .number("plan"), .number("best"),
      .number("regret"), .number("gap"), .number("certificate"),
    ])
    for unit in document.units {
      table.add([
        unit.name, NumberText.short(unit.sourceQuality), NumberText.short(unit.targetQuality),
        NumberText.short(unit.source), NumberText.short(unit.target),
        NumberText.short(unit.regret), NumberText.short(unit.gap),
        NumberText.short(unit.certificate),
      ])
    }
    let constants = document.constants
    let condition = constants.conditionNumber.map(NumberText.short) ?? "infinite"
    return table.text
      + "\nregret \(NumberText.short(document.regret)) of an objective of "
      + "\(NumberText.short(document.targetObjective)); qualities moved by "
      + "\(NumberText.short(document.delta))\n"
      + "at most \(NumberText.short(document.gap)) by the source's price; "
      + "certificate \(NumberText.short(document.certificate)), without bounds "
      + "\(NumberText.short(constants.unboundedCertificate)), L²δ²/2μ "
      + "\(NumberText.short(document.bound))\n"
      + "L \(NumberText.short(constants.lipschitz)), μ \(NumberText.short(constants.modulus)), "
      + "condition number \(condition)\n" + noise + verdict
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
