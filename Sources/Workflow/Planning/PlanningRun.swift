internal import Allocation
internal import Collectives
internal import PlanFiles

/// The road that both programs share: everything before the price, and everything after it.
///
///     files → statistics → gains → qualities │ price │ plan
///     ──────────── init ─────────────────────┘       └─ finish
struct PlanningRun {
  let values: UnitValues
  let gains: SlicedGains
  /// What the weights cost; nil without a checkpoint.
  let measured: MeasuredCosts?
  /// Of this rank's units, in their order.
  let qualities: [Double]
  /// Made by the normalisation, continued by the program.
  var search: PriceSearch

  private let record: RunRecord
  private let quality: QualityRule
  private let clock = ContinuousClock()
  private let searchStart: ContinuousClock.Instant

  /// Reads or computes this rank's gains and turns them into qualities.
  /// Collective; throws the same failure on every rank.
  init(
    command: String, source gainSource: GainSource, quality: QualityRule, bounds: BoundsRequest,
    costs: () throws(Failure) -> UnitCosts, search method: PriceSearch.Method,
    judgingBy source: QualitySource = .gain, patterns: SparsityPatterns? = nil,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    record = RunRecord(command: command)
    values = try agreed(over: world) { () throws(Failure) in
      try UnitValues(bounds: bounds, costs: try costs())
    }
    var gains = try gainSource.gains(over: world)
    measured = try gains.measure(patterns, over: world)
    self.gains = gains
    try values.requireKnownUnits(gains, over: world)

    // From here on only numbers, a few per unit.
    searchStart = clock.now
    var search = PriceSearch(method: method)
    self.quality = quality
    qualities = try quality.qualities(of: gains, judgingBy: source, search: &search, over: world)
    self.search = search
  }

  /// Options that both programs share, as resolved.
  var parameters: [String: ParameterValue] {
    gains.parameters.merging(quality.asParameters) { _, new in new }
      .merging(values.asParameters) { _, new in new }
  }

  /// Every input that the plan depends on.
  var inputs: [String: InputFingerprint] {
    gains.inputs.merging(values.inputs) { own, _ in own }
  }

  /// Gathers the planned units at rank 0, which assembles the plan and the run file.
  ///
  /// `units` are this rank's, in the order of `gains.units`. Collective. Returns both documents at
  /// rank 0, nil elsewhere.
  func finish(
    _ units: [PlanDocument.Unit], over world: borrowing some Collective & ~Copyable,
    assemble: ([PlanDocument.Unit]) -> PlanDocument
  ) throws(Failure) -> (plan: PlanDocument, run: RunDocument)? {
    let searchSeconds = searchStart.duration(to: clock.now).inSeconds
    let indexed = zip(gains.units, units).map { IndexedUnit(index: $0.index, unit: $1) }
    let all = try gatherUnits(indexed, over: world)
    let run = try record.finish(
      slice: gains.slice, scoringSeconds: gains.seconds, searchSeconds: searchSeconds,
      search: search, over: world)
    return run.map { (assemble(all), $0) }
  }
}
