public import Allocation
public import Collectives
internal import Curvature
public import PlanFiles

/// `layerbudget score`: statistics in, a scores file out.
public struct ScoreRequest: Sendable {
  public var statistics: StatisticsRequest
  public var quality = QualityRule()
  public var output: String

  public init(statistics: StatisticsRequest, output: String) {
    self.statistics = statistics
    self.output = output
  }

  /// Computes gains and qualities of all units and writes the scores and run files.
  ///
  /// Collective: every rank calls. Returns the document at rank 0, nil elsewhere; throws the same
  /// failure on every rank, with nothing written.
  public func run(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> ScoresDocument? {
    let record = RunRecord(command: "score")
    let output = OutputDocuments(path: output)
    try output.requireWritable(over: world)
    var gains = try statistics.computeGains(over: world)
    _ = try gains.measure(nil, over: world)

    var search = PriceSearch(method: .accelerated)
    let qualities = try quality.qualities(of: gains, search: &search, over: world)
    let units = zip(gains.units, qualities).map { gained, quality in
      var unit = gained.unit
      unit.quality = quality
      return IndexedUnit(index: gained.index, unit: unit)
    }
    let all = try gatherUnits(units, over: world)
    let run = try record.finish(
      slice: gains.slice, scoringSeconds: gains.seconds, searchSeconds: nil, search: search,
      resumption: gains.resumption, over: world)
    guard world.rank == 0 else {
      try output.write(nil as ScoresDocument?, rows: 0, run: nil, over: world)
      return nil
    }
    let parameters = gains.parameters.merging(quality.asParameters) { _, new in new }
    let document = ScoresDocument(
      curvature: gains.curvature, damping: gains.damping, parameters: parameters, units: all,
      inputs: gains.inputs, notes: gains.notes + NoiseNote.of(all))
    try output.write(document, rows: all.count, run: run, over: world)
    statistics.journal?.removeAfterSuccess()
    return document
  }
}
