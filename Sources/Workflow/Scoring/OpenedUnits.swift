internal import Collectives
internal import Curvature

/// Statistics and their units, from headers alone, with what a reader of the output should know.
struct OpenedUnits {
  let statistics: Statistics
  let units: [ModuleUnit]
  let notes: [String]

  /// Reads every header and checks it; the same on every rank.
  init(_ request: StatisticsRequest) throws(Failure) {
    do throws(CurvatureError) {
      statistics = try Statistics(path: request.path, choosing: request.selection)
      let all = try request.selection.units(of: statistics.modules)
      let large = try LargeModules(of: all, under: request.options)
      try statistics.requireQuantities(of: request.options.kind, in: large.units)
      units = large.units
      notes =
        LayerGaps.notes(of: units.map(\.name)) + large.notes
        + Self.note(
          try request.selection.ungrouped(in: units),
          "outside of every group of --group-by \(request.selection.grouping), each a unit of its own"
        )
        + Self.note(
          units.flatMap(\.modules).filter(\.leavesOutBias).map(\.name),
          "without their bias, since their curvature has no row for it")
        + Self.fisherNote(units, request.options)
    } catch {
      throw Failure(error)
    }
  }

  /// Folds are independent of each other, but not of a curvature made of the same few samples.
  private static func fisherNote(_ units: [ModuleUnit], _ options: GainOptions) -> [String] {
    guard options.kind == .fisher, options.effectiveRule == .crossFitted else { return [] }
    return [
      "cross-fitted gains under the empirical Fisher of the same samples are biased while samples are "
        + "few: every gradient is in the curvature it is measured against; compare with --gain plain"
    ]
  }

  private static func note(_ names: [String], _ what: String) -> [String] {
    guard !names.isEmpty else { return [] }
    let shown = names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", ..." : "")
    return ["\(names.count) module\(names.count == 1 ? "" : "s") \(what): \(shown)"]
  }
}

extension StatisticsRequest {
  /// Opened on every rank; a failure is agreed on, and all ranks must see the same tensors.
  /// Collective.
  func open(over world: borrowing some Collective & ~Copyable) throws(Failure) -> OpenedUnits {
    let opened = try agreed(over: world) { () throws(Failure) in try OpenedUnits(self) }
    try requireSameTensors(opened.statistics, what: path, over: world)
    return opened
  }

  /// Units over ranks by predicted work.
  func slicing(of units: [ModuleUnit], ranks: Int) -> Slicing {
    Slicing(work: units.map(work), ranks: ranks)
  }

  /// Predicted operations of a unit.
  func work(of unit: ModuleUnit) -> Double {
    unit.modules.reduce(0) {
      $0 + options.kind.floatingPointOperations(of: $1, rule: options.effectiveRule)
        + (options.wantsSpectrum ? CurvatureKind.spectrumOperations(of: $1) : 0)
    }
  }
}
