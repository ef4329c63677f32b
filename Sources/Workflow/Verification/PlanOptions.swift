internal import Allocation
internal import Collectives
internal import PlanFiles

/// The options in a plan, read back into the program that made it.
struct PlanOptions {
  let plan: PlanDocument

  init(_ plan: PlanDocument) {
    self.plan = plan
  }

  func text(_ name: String) -> String? {
    guard case .text(let text) = plan.parameters[name] else { return nil }
    return text
  }

  func number(_ name: String) -> Double? {
    guard case .number(let number) = plan.parameters[name] else { return nil }
    return number
  }

  var qualityRule: QualityRule? {
    guard let normalization = text("normalize").flatMap(QualityRule.Normalization.init),
      case .flag(let perParameter) = plan.parameters["per_parameter"],
      let floor = number("quality_floor")
    else { return nil }
    return QualityRule(normalization: normalization, perParameter: perParameter, floor: floor)
  }

  /// What solving the program again gives.
  struct Solved {
    let price: Double
    let spent: Double
    let spentInteger: Double?
    let continuous: [Double]
    let integers: [Int]?
    let budgetSensitivities: [Double]
    let boundWorths: [Double]
    let certificate: PlanDocument.Certificate
  }

  /// Nil where the plan alone does not hold what its program needs.
  func solvedAgain() throws(Failure) -> Solved? {
    do throws(AllocationError) {
      return switch plan.program {
      case .capacity: try solvedCapacity()
      case .pruning: try solvedPruning()
      }
    } catch {
      throw Failure(error, unit: error.unit.map { plan.units[$0].name })
    }
  }

  /// The capacity program and its units, where they have a closed form.
  func capacityProgram() -> (program: CapacityProgram, units: [CapacityUnit])? {
    guard let utility = text("utility").flatMap({ try? CapacityUtility($0) })?.closedForm,
      let alpha = number("alpha"), let beta = number("beta"),
      let alphaPer = text("alpha_per").flatMap(CapacityProgram.AlphaPer.init),
      let gamma = number("gamma"), let offset = number("offset"),
      let spend = text("spend").flatMap(CapacityProgram.Spend.init),
      let step = number("multiple_of").flatMap({ Int(exactly: $0) }),
      plan.units.allSatisfy({ $0.cost != nil })
    else { return nil }
    var program = CapacityProgram(budget: plan.budget)
    program.alpha = alpha
    program.alphaPer = alphaPer
    program.beta = beta
    program.gamma = text("gamma_rule") == "auto" ? .automatic : .fixed(gamma)
    program.offset = offset
    program.spend = spend
    program.utility = utility
    program.step = step
    let units = plan.units.enumerated().map { index, unit in
      CapacityUnit(
        index: index, quality: unit.quality, cost: unit.cost ?? 1, lower: unit.lower,
        upper: unit.upper, alpha: unit.alpha, gammaFactor: unit.gammaFactor ?? 1)
    }
    return (program, units)
  }

  private func solvedCapacity() throws(AllocationError) -> Solved? {
    guard let (program, units) = capacityProgram() else { return nil }
    var search = PriceSearch(method: .accelerated)
    let solution = try program.solve(
      units, totalUnits: units.count, wholeNumbers: plan.spentInteger != nil, search: &search,
      over: SoloCollective())
    return Solved(
      price: solution.price, spent: solution.spent, spentInteger: solution.integer?.spent,
      continuous: solution.continuous, integers: solution.integer?.values,
      budgetSensitivities: solution.budgetSensitivities, boundWorths: solution.boundWorths,
      certificate: PlanDocument.Certificate(solution.certificate))
  }

  /// The pruning program and its units, where they have a closed form.
  func pruningProgram() -> (program: PruningProgram, units: [PruningUnit])? {
    guard text("pattern") == "none", let psi = text("psi").flatMap(PruningProgram.Psi.init),
      let sparsity = number("sparsity"), let b = number("b"), let eta = number("eta"),
      let kappa = number("kappa"), let prior = number("depth_prior"),
      let damage = text("damage").flatMap(PruningProgram.Damage.init),
      plan.units.allSatisfy({ $0.weights != nil })
    else { return nil }
    var program = PruningProgram(sparsity: sparsity)
    program.b = b
    program.eta = eta
    program.kappa = kappa
    program.psi = psi
    program.damage = damage
    program.depthPrior = prior
    let units = plan.units.enumerated().map { index, unit in
      PruningUnit(
        index: index, quality: unit.quality, weights: unit.weights ?? 1, lower: unit.lower,
        upper: unit.upper)
    }
    return (program, units)
  }

  private func solvedPruning() throws(AllocationError) -> Solved? {
    guard let (program, units) = pruningProgram() else { return nil }
    var search = PriceSearch(method: .accelerated)
    let solution = try program.solve(
      units, totalUnits: units.count, search: &search, over: SoloCollective())
    return Solved(
      price: solution.price, spent: solution.spent, spentInteger: Double(solution.target),
      continuous: solution.continuous, integers: solution.integers,
      budgetSensitivities: solution.budgetSensitivities, boundWorths: solution.boundWorths,
      certificate: PlanDocument.Certificate(solution.certificate))
  }
}
