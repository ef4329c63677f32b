internal import Allocation
internal import Collectives
internal import Curvature
internal import PlanFiles

/// The request that made a plan.
enum PlanRequest: Sendable {
  case capacity(AllocateRequest)
  case pruning(PruneRequest)

  /// Collective, as the requests' own `make`.
  func make(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (plan: PlanDocument, run: RunDocument)? {
    switch self {
    case .capacity(let request): try request.make(over: world)
    case .pruning(let request): try request.make(over: world)
    }
  }
}

/// A parameter that a plan does not say, or not in a way that can be read.
struct UnreadParameter: Error, CustomStringConvertible {
  let name: String
  var description: String { "its parameter \"\(name)\" is missing or cannot be read" }
}

extension PlanOptions {
  /// The request that made the plan, from its parameters and the inputs at hand. Numbers of tables that
  /// are not at hand are the plan's own.
  func request(from inputs: VerificationInputs) throws(UnreadParameter) -> PlanRequest {
    let source = try source(from: inputs)
    return switch plan.program {
    case .capacity: .capacity(try allocation(of: source, inputs))
    case .pruning: .pruning(try pruning(of: source, inputs))
    }
  }

  private func source(from inputs: VerificationInputs) throws(UnreadParameter) -> GainSource {
    guard plan.inputs["statistics"] != nil, let path = inputs.statistics else {
      return .scores(path: inputs.scores ?? "", names: inputs.scoreNames)
    }
    var request = StatisticsRequest(path: path)
    request.options = GainOptions(
      kind: try read("curvature", CurvatureKind.init), damping: try read("damping", Damping.init),
      precision: try read("precision", Precision.init), rule: try read("gain", GainRule.init),
      tokensPerSample: try read("tokens_per_sample", TokensPerSample.init),
      largeFactors: try read("large_modules", LargeFactorRule.init))
    func pattern(_ name: String) throws(UnreadParameter) -> String? {
      let text = try read(name) { $0 }
      return text.isEmpty ? nil : text
    }
    request.selection = UnitSelection(
      grouping: UnitGrouping(try read("group_by") { $0 }), include: try pattern("include"),
      exclude: try pattern("exclude"))
    if plan.program == .pruning { request.checkpoint = inputs.checkpoint }
    return .statistics(request)
  }

  private func allocation(
    of source: GainSource, _ inputs: VerificationInputs
  ) throws(UnreadParameter) -> AllocateRequest {
    var program = CapacityProgram(budget: plan.budget)
    program.alpha = try amount("alpha")
    program.alphaPer = try read("alpha_per", CapacityProgram.AlphaPer.init)
    program.beta = try amount("beta")
    program.gamma =
      try read("gamma_rule") { $0 } == "auto" ? .automatic : .fixed(try amount("gamma"))
    program.offset = try amount("offset")
    program.spend = try read("spend", CapacityProgram.Spend.init)
    program.step = try whole("multiple_of")
    var request = AllocateRequest(source: source, measure: try measure(inputs), output: "")
    request.program = program
    request.utility = try read("utility") { try? CapacityUtility($0) }
    request.wholeNumbers = try flag("integer")
    request.quality = try rule()
    request.bounds = try boundsRequest(inputs)
    return request
  }

  private func measure(
    _ inputs: VerificationInputs
  ) throws(UnreadParameter) -> CapacityMeasure {
    let unit = try read("budget_unit", CapacityBudget.Measure.init)
    var measure = CapacityMeasure(budget: .amount(plan.budget, unit))
    if let nodes = inputs.nodes {
      measure.budget = .nodeMemory(share: try amount("node_share"))
      measure.nodes = nodes
    }
    measure.kind = try read("unit", CapacityKind.init)
    measure.checkpoint = inputs.checkpoint
    if number("top_k") != nil { measure.topK = try whole("top_k") }
    if let bytes = number("bytes_per_parameter") { measure.bytesPerParameter = bytes }
    measure.program = inputs.program
    if plan.inputs["program"] != nil, inputs.program == nil {
      measure.known.programs = UnitPrograms(
        listed { unit in
          unit.alpha == nil && unit.gammaFactor == nil
            ? nil : UnitPrograms.Numbers(alpha: unit.alpha, gamma: unit.gammaFactor)
        }, source: Self.ownNumbers)
    }
    switch plan.parameters["cost"] {
    // A budget in slots has no other cost, and none may be given with it.
    case .number(let cost)?: measure.cost = unit == .slots ? .automatic : .uniform(cost)
    case .text("parameters")?: measure.cost = .parameters
    case .text("table")?:
      measure.cost = .table(inputs.costs ?? Self.ownNumbers)
      if inputs.costs == nil {
        measure.known.costs = UnitNumbers(listed(\.cost), source: Self.ownNumbers)
      }
    case .text("expert bytes")?, .text("expert parameters")?, .text("in + out")?,
      .text("modules")?:
      measure.cost = .automatic
    default: throw UnreadParameter(name: "cost")
    }
    return measure
  }

  private func pruning(
    of source: GainSource, _ inputs: VerificationInputs
  ) throws(UnreadParameter) -> PruneRequest {
    let curve = try read("psi", PruningCurve.init)
    let isMeasured = curve == .measured
    let prefix = isMeasured ? "compared_" : ""
    var program = PruningProgram(sparsity: try amount("sparsity"))
    program.b = try amount("b")
    program.eta = try amount(prefix + "eta")
    program.kappa = try amount(prefix + "kappa")
    program.damage = try read(prefix + "damage", PruningProgram.Damage.init)
    program.depthPrior = try amount(prefix + "depth_prior")
    program.psi = curve.psi ?? program.psi
    var request = PruneRequest(source: source, program: program, output: "")
    request.curve = curve
    if plan.inputs["checkpoint"] != nil {
      request.measuredKappa = try amount(isMeasured ? "kappa" : "compared_kappa")
    }
    request.judgedBy = try read("quality", QualitySource.init)
    request.patterns = try read("pattern") { text -> SparsityPatterns?? in
      text == "none" ? .some(nil) : SparsityPatterns(text).map { .some($0) }
    }
    request.quality = try rule()
    request.bounds = try boundsRequest(inputs)
    return request
  }

  private func boundsRequest(
    _ inputs: VerificationInputs
  ) throws(UnreadParameter) -> BoundsRequest {
    var request = BoundsRequest(
      maximum: text("max") == "inf" ? .infinity : try amount("max"))
    request.minimum = try amount("min")
    request.fixed = FixedTexts.split(try read("fix") { $0 })
    request.table = inputs.bounds
    if plan.inputs["bounds"] != nil, inputs.bounds == nil {
      request.known = UnitBounds(
        listed { UnitBounds.Bounds(lower: $0.lower, upper: $0.upper) }, source: Self.ownNumbers)
    }
    return request
  }

  // MARK: Reading

  private static let ownNumbers = "the plan's own numbers"

  private func listed<Value>(_ value: (PlanDocument.Unit) -> Value?) -> [String: Value] {
    Dictionary(
      plan.units.compactMap { unit in value(unit).map { (unit.name, $0) } },
      uniquingKeysWith: { first, _ in first })
  }

  private func rule() throws(UnreadParameter) -> QualityRule {
    guard let rule = qualityRule else { throw UnreadParameter(name: "normalize") }
    return rule
  }

  private func read<Value>(
    _ name: String, _ reading: (String) -> Value?
  ) throws(UnreadParameter) -> Value {
    guard let value = text(name).flatMap(reading) else { throw UnreadParameter(name: name) }
    return value
  }

  private func amount(_ name: String) throws(UnreadParameter) -> Double {
    guard let amount = number(name) else { throw UnreadParameter(name: name) }
    return amount
  }

  private func whole(_ name: String) throws(UnreadParameter) -> Int {
    guard let whole = Int(exactly: try amount(name)) else { throw UnreadParameter(name: name) }
    return whole
  }

  private func flag(_ name: String) throws(UnreadParameter) -> Bool {
    guard case .flag(let flag)? = plan.parameters[name] else { throw UnreadParameter(name: name) }
    return flag
  }
}
