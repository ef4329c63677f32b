internal import Allocation
public import Collectives
internal import Curvature
internal import PlanFiles

/// A plan checked: what was recomputed, and where it disagrees.
///
/// With the inputs that it was made from, the plan is made again by the road that made it, and both
/// documents are compared field by field. Without them it is checked against itself: a plan by a
/// closed form holds all that its program needs (gains, qualities, bounds, costs, options), so the program
/// is solved again. Numbers are compared bit by bit, certificate included; an edited figure, a torn
/// copy or another version's rounding shows.
public struct PlanVerification: Codable, Sendable, Equatable {
  public internal(set) var checked: [String] = []
  public internal(set) var unchecked: [String] = []
  public internal(set) var disagreements: [String] = []
  /// What most likely lies behind the disagreements, and what to try; nil where nothing is known.
  public internal(set) var cause: String?

  /// At rank 0, nil elsewhere; the same failure everywhere.
  ///
  /// Collective: where the inputs are given, each rank computes its part of them, as for a new plan.
  /// - Throws: a plan or an input that cannot be read, an input that the plan was not made from, or
  ///   a program that cannot be solved.
  public static func of(
    _ path: String, from inputs: VerificationInputs = VerificationInputs(),
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> PlanVerification? {
    // 1. The plan, and what it says of how it was made.
    let file = try agreed(over: world) { () throws(Failure) in try InputFile(path: path) }
    try requireSameInput(file.checksum, what: path, over: world)
    let (plan, missing) = try agreed(over: world) { () throws(Failure) in
      let plan = try Self.plan(in: file)
      return (plan, try inputs.missing(for: plan))
    }
    var verification = PlanVerification()
    if world.rank == 0 { verification.checkUnits(plan) }

    // 2. Made again, or else solved again from itself.
    if missing.isEmpty {
      // Whether it can be read depends on the plan alone, so it is the same on every rank.
      let request: PlanRequest?
      do throws(UnreadParameter) {
        request = try PlanOptions(plan).request(from: inputs)
      } catch {
        request = nil
        // Every plan of this format says all of them.
        verification.disagreements.append("the plan cannot be made again: \(error)")
      }
      if let request {
        try verification.check(file, plan, against: request, inputs, over: world)
        return world.rank == 0 ? verification : nil
      }
    }
    let alone = verification
    world.reportLone(LoneWork.solving(plan.units.count), .checking)
    return try agreed(over: world) { () throws(Failure) in
      guard world.rank == 0 else { return nil }
      var verification = alone
      try verification.checkAlone(plan, inputs, missing)
      return verification
    }
  }

  private static func plan(in file: InputFile) throws(Failure) -> PlanDocument {
    let plan: PlanDocument
    do throws(PlanFileError) {
      plan = try DocumentCoding.decode(PlanDocument.self, from: file.bytes, source: file.path)
    } catch {
      throw Failure(error)
    }
    guard plan.format == PlanDocument.format else {
      throw Failure(
        .badData, "\(file.path): its format is \"\(plan.format)\"; --verify checks plans")
    }
    return plan
  }

  /// Ends with `badData` where anything disagrees. Collective; the verification is rank 0's.
  public static func requireAgreement(
    _ verification: PlanVerification?, in path: String,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    try agreed(over: world) { () throws(Failure) in
      guard let verification, let first = verification.disagreements.first else { return }
      throw Failure(
        .badData,
        "\(path): \(verification.disagreements.count) disagreements, first: \(first); "
          + (verification.cause ?? "make the plan again"))
    }
  }

  // MARK: Steps

  /// What the file alone can tell, and the gains where scores are given.
  private mutating func checkAlone(
    _ plan: PlanDocument, _ inputs: VerificationInputs, _ missing: [VerificationInputs.Named]
  ) throws(Failure) {
    if !missing.isEmpty {
      unchecked.append(
        "the plan made again from its inputs (give "
          + "\(missing.map(\.option).joined(separator: " and ")))")
    }
    try checkGains(plan, against: inputs.scores)
    checkQualities(plan)
    try checkSolution(plan)
    unchecked.append(
      "names of modules, marks of bounds, fingerprints and notes (as all that follows "
        + "from the inputs alone)")
    if plan.noiseRegret != nil {
      unchecked.append("standard errors of the answers (they need the gains of single folds)")
    }
  }

  /// Order, bounds and sums, from the file alone.
  private mutating func checkUnits(_ plan: PlanDocument) {
    let names = plan.units.map { NaturalName($0.name) }
    require(zip(names, names.dropFirst()).allSatisfy(<), "the units are not in natural order")
    for unit in plan.units {
      require(
        unit.continuous >= unit.lower && unit.continuous <= unit.upper,
        "unit \"\(unit.name)\": continuous \(unit.continuous) lies outside \(unit.lower) … \(unit.upper)"
      )
    }
    let integers = plan.units.compactMap(\.integer)
    if integers.count == plan.units.count, let spent = plan.spentInteger {
      // Whole numbers times costs: exact but for the rounding of fractional costs.
      let sum = zip(plan.units, integers).reduce(0.0) { $0 + ($1.0.cost ?? 1) * Double($1.1) }
      require(
        abs(sum - spent) <= 1e-12 * abs(spent), "the whole numbers spend \(sum), not \(spent)")
      if plan.program == .capacity {
        require(
          sum <= plan.budget * (1 + 1e-12), "the whole numbers spend \(sum) of \(plan.budget)")
      }
    }
    checked.append("order, bounds and sums of \(plan.units.count) units")
  }

  private mutating func checkGains(
    _ plan: PlanDocument, against path: String?
  ) throws(Failure) {
    guard let path else {
      unchecked.append("gains against their scores (give --scores FILE)")
      return
    }
    let file = try InputFile(path: path)
    let scores = try GainSource.scores(in: file)
    if let input = plan.inputs["scores"] {
      require(
        input.contents == file.checksum.hexadecimal,
        "\(path) is not the scores file that the plan was made from")
    }
    require(
      scores.units.map(\.name) == plan.units.map(\.name), "\(path) has other units than the plan")
    for (unit, scored) in zip(plan.units, scores.units) where unit.gain != scored.gain {
      disagreements.append(
        "unit \"\(unit.name)\": gain \(unit.gain), but \(scored.gain) in \(path)")
    }
    checked.append("gains of \(scores.units.count) units against \(path)")
  }

  /// q from the gains by the plan's own rule.
  private mutating func checkQualities(_ plan: PlanDocument) {
    let options = PlanOptions(plan)
    guard let rule = options.qualityRule,
      !rule.perParameter || plan.units.allSatisfy({ $0.weights != nil })
    else {
      unchecked.append("qualities (the plan does not hold the parameter counts that they need)")
      return
    }
    let fromDamage = options.text("quality") == "damage"
    let units = plan.units.map {
      GainedUnit(gain: (fromDamage ? $0.damage : $0.gain) ?? 0, parameters: Double($0.weights ?? 1))
    }
    var search = PriceSearch(method: .accelerated)
    guard
      let qualities = try? rule.qualities(
        of: units, totalUnits: units.count, search: &search, over: SoloCollective())
    else {
      disagreements.append("the qualities do not follow from the gains: all of them are 0")
      return
    }
    for (unit, quality) in zip(plan.units, qualities) where unit.quality != quality {
      disagreements.append(
        "unit \"\(unit.name)\": quality \(unit.quality), but \(quality) follows from the gains")
    }
    checked.append("qualities of \(units.count) units from their gains")
  }

  /// The program solved again.
  private mutating func checkSolution(_ plan: PlanDocument) throws(Failure) {
    let options = PlanOptions(plan)
    guard let again = try options.solvedAgain() else {
      unchecked.append("the solution (this program needs the weights or spectra that made it)")
      return
    }
    compare("price", plan.price, again.price)
    compare("spent", plan.spent, again.spent)
    compare("spent_integer", plan.spentInteger, again.spentInteger)
    for (index, unit) in plan.units.enumerated() {
      compare("unit \"\(unit.name)\": continuous", unit.continuous, again.continuous[index])
      compare(
        "unit \"\(unit.name)\": budget_sensitivity", unit.budgetSensitivity,
        again.budgetSensitivities[index])
      compare(
        "unit \"\(unit.name)\": bound_worth", unit.boundWorth, again.boundWorths[index])
      compare(
        "unit \"\(unit.name)\": integer", unit.integer.map { Double($0) },
        again.integers.map { Double($0[index]) })
    }
    let (old, new) = (plan.certificate, again.certificate)
    let numbers: [(String, Double?, Double?)] = [
      ("primal", old.primal, new.primal), ("dual", old.dual, new.dual), ("gap", old.gap, new.gap),
      ("kkt_residual", old.kktResidual, new.kktResidual),
      ("stationarity_residual", old.stationarityResidual, new.stationarityResidual),
      ("feasibility_residual", old.feasibilityResidual, new.feasibilityResidual),
      ("complementarity_residual", old.complementarityResidual, new.complementarityResidual),
      ("modulus", old.modulus, new.modulus),
      ("condition_number", old.conditionNumber, new.conditionNumber),
      ("budget_left", old.budgetLeft, new.budgetLeft),
      ("integer_budget_left", old.integerBudgetLeft, new.integerBudgetLeft),
      ("integrality_gap", old.integralityGap, new.integralityGap),
      ("units_at_lower", Double(old.unitsAtLower), Double(new.unitsAtLower)),
      ("units_at_upper", Double(old.unitsAtUpper), Double(new.unitsAtUpper)),
    ]
    for (name, stored, found) in numbers { compare("certificate: \(name)", stored, found) }
    checked.append("price, answers, whole numbers and certificate by solving the program again")
  }

  private mutating func require(_ holds: Bool, _ disagreement: String) {
    if !holds { disagreements.append(disagreement) }
  }

  private mutating func compare(_ what: String, _ stored: Double?, _ found: Double?) {
    guard stored != found else { return }
    func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "nothing" }
    disagreements.append("\(what) is \(text(stored)), but \(text(found)) when solved again")
  }
}
