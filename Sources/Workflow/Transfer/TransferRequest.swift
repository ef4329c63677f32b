public import Allocation
public import Collectives
internal import Curvature
public import PlanFiles

/// `layerbudget transfer`: a plan for the source's scores, judged on the target's.
public struct TransferRequest: Sendable {
  /// Which program both plans solve.
  public enum Program: Sendable {
    case capacity(CapacityProgram, CapacityMeasure)
    case pruning(PruningProgram, judgedBy: QualitySource)
  }
  public var source: GainSource
  public var target: GainSource
  public var program: Program
  public var quality = QualityRule()
  public var bounds: BoundsRequest
  public var search = PriceSearch.Method.accelerated
  /// The regret that is allowed, in units of the objective.
  public var tolerance: Double?
  public var output: String

  public init(
    source: GainSource, target: GainSource, program: Program, bounds: BoundsRequest, output: String
  ) {
    self.source = source
    self.target = target
    self.program = program
    self.bounds = bounds
    self.output = output
  }

  /// scores of both → qualities → both plans → regret and its bounds → output.
  ///
  /// Collective: every rank calls. Returns the document at rank 0, nil elsewhere; throws the same
  /// failure on every rank, with nothing written. Whether to plan again is in the document, not thrown.
  public func run(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> TransferDocument? {
    let record = RunRecord(command: "transfer")
    let output = OutputDocuments(path: output)
    try output.requireWritable(over: world)
    let values = try agreed(over: world) { () throws(Failure) in
      try UnitValues(bounds: bounds, costs: try costs())
    }

    // 1. Both files' units, the same ones, as qualities.
    let from = try source.gains(over: world)
    let to = try target.gains(over: world)
    try agreed(over: world) { () throws(Failure) in try requireSameUnits(from, to) }
    try values.requireKnownUnits(from, over: world)
    var search = PriceSearch(method: search)
    let qualities = (
      source: try quality.qualities(of: from, judgingBy: judgedBy, search: &search, over: world),
      target: try quality.qualities(of: to, judgingBy: judgedBy, search: &search, over: world)
    )

    // 2. Both plans, and what the first costs on the second's qualities.
    let answer = try answer(from, to, values, qualities, search: &search, over: world)

    // 3. Gathered and written.
    let rows = from.units.indices.map { index in
      let term = answer.regret.terms[index]
      return IndexedUnit(
        index: from.units[index].index,
        unit: TransferDocument.Unit(
          name: from.units[index].unit.name, sourceQuality: qualities.source[index],
          targetQuality: qualities.target[index], source: term.source, target: term.target,
          regret: term.regret, gap: term.gap, certificate: term.certificate,
          slopeChange: term.slopeChange,
          modulus: term.modulus))
    }
    let units = try gatherUnits(rows, over: world)
    let run = try record.finish(
      slice: from.slice, scoringSeconds: nil, searchSeconds: nil, search: search, over: world)
    let judged = run.map { _ in
      document(answer, units, values, inputs: inputs(from, to, values))
    }
    try output.write(judged, rows: units.count, run: run, over: world)
    return judged
  }

  /// Ends with code `replan` where the gap is beyond the tolerance. Collective; the document is
  /// rank 0's, nil elsewhere.
  public func requireTolerable(
    _ document: TransferDocument?, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    try agreed(over: world) { () throws(Failure) in
      guard let document, document.replan == true else { return }
      throw Failure(
        .replan,
        "\(output): plan again: the regret may be up to \(NumberText.short(document.gap)), "
          + "but the tolerance is \(NumberText.short(document.tolerance ?? 0))")
    }
  }

  private var judgedBy: QualitySource {
    if case .pruning(_, let judgedBy) = program { judgedBy } else { .gain }
  }

  private func costs() throws(Failure) -> UnitCosts {
    if case .capacity(_, let measure) = program { try UnitCosts(measure) } else { UnitCosts() }
  }

  private func requireSameUnits(_ from: SlicedGains, _ to: SlicedGains) throws(Failure) {
    let same =
      from.totalUnits == to.totalUnits
      && zip(from.units, to.units).allSatisfy {
        NaturalName($0.unit.name) == NaturalName($1.unit.name)
      }
    guard same else {
      let different = zip(from.units, to.units).first {
        NaturalName($0.unit.name) != NaturalName($1.unit.name)
      }
      throw Failure(
        .badData,
        "source and target have different units: "
          + (different.map { "\"\($0.unit.name)\" stands where \"\($1.unit.name)\" does" }
            ?? "\(from.totalUnits) and \(to.totalUnits) of them")
          + "; make both scores with the same --group-by, --include and --exclude")
    }
  }

  private func inputs(
    _ from: SlicedGains, _ to: SlicedGains, _ values: UnitValues
  ) -> [String: InputFingerprint] {
    var inputs = values.inputs
    for (name, gains) in [("source", from), ("target", to)] {
      for (key, input) in gains.inputs { inputs["\(name)_\(key)"] = input }
    }
    return inputs
  }
}
