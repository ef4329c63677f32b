internal import Allocation
internal import Collectives
internal import PlanFiles

/// Both plans and the regret of one on the other, for this rank's units.
struct TransferAnswer {
  let regret: TransferRegret
  let kind: PlanDocument.Program
  /// F_T(x^T).
  let targetObjective: Double
  /// What the solution resolved.
  let parameters: [String: ParameterValue]
  /// The regret to expect from the noise of both sets of gains alone, where both hold folds.
  let noiseRegret: Double?
}

extension TransferRequest {
  /// Collective.
  func answer(
    _ gains: SlicedGains, _ others: SlicedGains, _ values: UnitValues,
    _ qualities: (source: [Double], target: [Double]), search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> TransferAnswer {
    switch program {
    case .capacity(var program, let measure):
      program.budget = try measure.amount(over: world)
      let units = try agreed(over: world) { () throws(Failure) in
        try [qualities.source, qualities.target].map { qualities throws(Failure) in
          try measure.units(gains, qualities, values)
        }
      }
      do throws(AllocationError) {
        let (regret, made, best) = try program.transferRegret(
          from: units[0], to: units[1], totalUnits: gains.totalUnits, search: &search, over: world)
        var fixed = program
        fixed.gamma = .fixed(made.gamma)
        let noise = noiseRegret(
          [gains, others], units, under: fixed, search: &search, over: world)
        return TransferAnswer(
          regret: regret, kind: .capacity, targetObjective: best.certificate.primal,
          parameters: program.asParameters(gamma: made.gamma)
            .merging(measure.parameters(values.costs)) { _, new in new }
            .merging(["budget": .number(program.budget)]) { _, new in new },
          noiseRegret: noise)
      } catch {
        throw Failure(error, among: gains.units, over: world)
      }
    case .pruning(let program, let judgedBy):
      let units = [qualities.source, qualities.target].map { qualities in
        zip(gains.units, qualities).map { gained, quality in
          let (lower, upper) = values.bounds(of: gained.unit.name)
          return PruningUnit(
            index: gained.index, quality: quality, weights: gained.unit.parameters, lower: lower,
            upper: upper)
        }
      }
      do throws(AllocationError) {
        let (regret, _, best) = try program.transferRegret(
          from: units[0], to: units[1], totalUnits: gains.totalUnits, search: &search, over: world)
        // Damages have no folds.
        let noise =
          judgedBy == .damage
          ? nil
          : noiseRegret([gains, others], units, under: program, search: &search, over: world)
        return TransferAnswer(
          regret: regret, kind: .pruning, targetObjective: best.certificate.primal,
          parameters: program.asParameters(judgedBy: judgedBy)
            .merging(["sparsity": .number(program.sparsity)]) { _, new in new },
          noiseRegret: noise)
      } catch {
        throw Failure(error, among: gains.units, over: world)
      }
    }
  }

  /// What noise is expected to cost, source's and target's part together; nil unless both are known.
  /// Collective.
  private func noiseRegret<Program: JudgedProgram>(
    _ gains: [SlicedGains], _ plans: [[Program.Unit]], under program: Program,
    search: inout PriceSearch, over world: borrowing some Collective & ~Copyable
  ) -> Double? {
    let parts = zip(gains, plans).map { gains, plan in
      PlanUncertainty(
        of: gains, by: quality, plan: plan, under: program, search: &search, over: world
      )?.noiseRegret
    }
    let known = parts.compactMap(\.self)
    return known.count == parts.count ? known.reduce(0, +) : nil
  }

  func document(
    _ answer: TransferAnswer, _ units: [TransferDocument.Unit], _ values: UnitValues,
    inputs: [String: InputFingerprint]
  ) -> TransferDocument {
    let regret = answer.regret
    var notes: [String] = []
    if regret.linearUnits > 0 {
      notes.append(
        "\(regret.linearUnits) units have no quality on the target: their part of the objective is "
          + "linear, and the bounds count what they could lose over their whole range")
    }
    var document = TransferDocument(
      program: answer.kind,
      parameters: answer.parameters.merging(quality.asParameters) { _, new in new }
        .merging(values.asParameters) { _, new in new },
      delta: regret.delta, regret: regret.regret, gap: regret.gap,
      certificate: regret.certificate,
      bound: regret.bound,
      constants: TransferDocument.Constants(
        lipschitz: regret.lipschitz, modulus: regret.modulus,
        conditionNumber: regret.conditionNumber.isFinite ? regret.conditionNumber : nil,
        unboundedCertificate: regret.unboundedCertificate, linearUnits: regret.linearUnits),
      targetObjective: answer.targetObjective, tolerance: tolerance, units: units, inputs: inputs,
      notes: notes)
    document.noiseRegret = answer.noiseRegret
    return document
  }
}
