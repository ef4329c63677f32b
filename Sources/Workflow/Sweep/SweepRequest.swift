public import Allocation
public import Collectives
internal import Curvature
public import PlanFiles
internal import TensorFiles

/// `layerbudget sweep`: plans for many budgets or sparsities in one pass.
public struct SweepRequest: Sendable {
  /// The program, and what changes from point to point.
  public enum Program: Sendable {
    /// Capacity: one measure per budget, alike but for the amount.
    case capacity(CapacityProgram, [CapacityMeasure], wholeNumbers: Bool)
    /// Ranks by spectra: the program's budget, step and rule of spending; always whole.
    case spectrum(CapacityProgram, [CapacityMeasure])
    /// The request's program, curve and patterns; the rest of it is the sweep's own.
    case pruning(PruneRequest, sparsities: [Double])
  }
  public var source: GainSource
  public var program: Program
  public var quality = QualityRule()
  public var bounds: BoundsRequest
  public var search = PriceSearch.Method.accelerated
  /// Written as CSV where the name ends in `.csv`, else as JSON.
  public var output: String

  public init(source: GainSource, program: Program, bounds: BoundsRequest, output: String) {
    self.source = source
    self.program = program
    self.bounds = bounds
    self.output = output
  }

  /// files → statistics → gains → qualities → all prices together → points → output.
  ///
  /// Gains and qualities are made once. The price searches of all points run side by side and share
  /// their allreduces (`JointCollective`), so many points take hardly more of them than one, and every
  /// point has the bits that `allocate` or `prune` would give it.
  /// Collective: every rank calls. Returns the document at rank 0, nil elsewhere.
  public func run(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (document: SweepDocument, run: RunDocument)? {
    let record = RunRecord(command: "sweep")
    let output = OutputDocuments(path: output)
    try output.requireWritable(over: world)
    let values = try agreed(over: world) { () throws(Failure) in
      try UnitValues(bounds: bounds, costs: try costs())
    }
    var gains = try source.gains(over: world)
    let measured = try gains.measure(patterns, over: world)
    try values.requireKnownUnits(gains, over: world)
    var search = PriceSearch(method: search)
    let qualities = try quality.qualities(
      of: gains, judgingBy: judgedBy, search: &search, over: world)

    let points = try points(
      SweepUnits(gains: gains, values: values, qualities: qualities, measured: measured),
      search: &search, over: world)

    let rows = gains.units.indices.map { position in
      var row = points.units[position]
      row.continuous = points.solved.map { $0.continuous[position] }
      row.pattern =
        points.solved.first?.pattern == nil
        ? nil : points.solved.map { $0.pattern?[position] ?? "" }
      row.integer =
        points.solved.first?.integer == nil
        ? nil : points.solved.map { $0.integer?[position] ?? 0 }
      return IndexedUnit(index: gains.units[position].index, unit: row)
    }
    let units = try gatherUnits(rows, over: world)
    let run = try record.finish(
      slice: gains.slice, scoringSeconds: gains.seconds, searchSeconds: nil, search: search,
      over: world)
    let document = run.map { _ in
      SweepDocument(
        program: points.kind,
        parameters: gains.parameters.merging(quality.asParameters) { _, new in new }
          .merging(values.asParameters) { _, new in new }
          .merging(points.parameters) { _, new in new },
        points: points.solved.map(\.point), units: units,
        inputs: gains.inputs.merging(values.inputs) { own, _ in own },
        notes: gains.notes + points.notes)
    }
    // A unit's answers at five points are about as long as a unit of a plan.
    let written = units.count * (1 + points.solved.count / 5)
    if self.output.hasSuffix(".csv") {
      try output.write(text: document?.csv, rows: written, run: run, over: world)
    } else {
      try output.write(document, rows: written, run: run, over: world)
    }
    guard let document, let run else { return nil }
    return (document, run)
  }

  private var judgedBy: QualitySource {
    if case .pruning(let request, _) = program { request.judgedBy } else { .gain }
  }

  private var patterns: SparsityPatterns? {
    if case .pruning(let request, _) = program { request.patterns } else { nil }
  }

  private func costs() throws(Failure) -> UnitCosts {
    switch program {
    case .capacity(_, let measures, _), .spectrum(_, let measures):
      try measures.first.map { measure throws(Failure) in try UnitCosts(measure) } ?? UnitCosts()
    case .pruning: UnitCosts()
    }
  }
}
