internal import Checkpoints
internal import Curvature
internal import PlanFiles
internal import Pruning
internal import TensorFiles

/// One module with what the plan wants of it.
struct PlannedModule {
  /// Position among all modules of the plan.
  let index: Int
  let unit: String
  let weight: ModuleWeight
  let statistics: ModuleStatistics?
  /// Weights to remove; under `--within global` a first guess until the unit's threshold is known.
  var count: Int
  let pattern: RemovalPattern?
}

/// A plan's units as modules of the checkpoint, every name matched exactly once.
struct PlannedModules {
  /// The modules of each unit, in the plan's order.
  let units: [[PlannedModule]]
  /// What a reader of the result should know.
  let notes: [String]
  /// The plan's own pattern, if it has one: `N:M` with the largest N.
  let pattern: String?

  /// - Throws: `badData` when names, sizes, counts or patterns of the plan do not fit the checkpoint.
  init(of request: ApplyRequest, in inputs: ApplyInputs) throws(Failure) {
    let units = inputs.plan.units
    let names = try Self.moduleNames(of: units, in: inputs.checkpoint)
    let known = try Self.statistics(of: names.joined(), in: inputs.statistics)
    let shapes = names.joined().map { name in
      ModuleShape(
        name: name, outputs: known[NaturalName(name)]?.outputs,
        inputs: known[NaturalName(name)]?.inputs)
    }
    let weights: [ModuleWeight]
    do throws(CheckpointError) { weights = try inputs.checkpoint.weights(of: shapes) } catch {
      throw Failure(error)
    }

    var planned: [[PlannedModule]] = []
    var sizes = SizeRemarks()
    var first = 0
    for (unit, names) in zip(units, names) {
      let own = Array(weights[first..<first + names.count])
      let fitted = UnitFit(unit, own, asked: request.pattern)
      try fitted.check(&sizes)
      planned.append(
        zip(own, fitted.counts).enumerated().map { offset, pair in
          PlannedModule(
            index: first + offset, unit: unit.name, weight: pair.0,
            statistics: known[NaturalName(pair.0.name)], count: pair.1, pattern: fitted.pattern)
        })
      first += names.count
    }
    self.units = planned
    notes = sizes.notes
    pattern = planned.joined().compactMap(\.pattern).max { $0.removed < $1.removed }?.description
  }

  private static func moduleNames(
    of units: [RemovalPlan.Unit], in checkpoint: Checkpoint
  ) throws(Failure) -> [[String]] {
    var names: [[String]] = []
    do throws(CheckpointError) {
      for unit in units {
        if let modules = unit.modules {
          names.append(modules)
        } else {
          names.append(try checkpoint.modules(named: unit.name))
        }
      }
    } catch {
      throw Failure(error)
    }
    return names
  }

  private static func statistics(
    of names: some Sequence<String>, in statistics: Statistics?
  ) throws(Failure) -> [NaturalName: ModuleStatistics] {
    guard let statistics else { return [:] }
    let all = Dictionary(
      uniqueKeysWithValues: statistics.modules.map { (NaturalName($0.name), $0) })
    for name in names where all[NaturalName(name)] == nil {
      let nearest = NearestName.of(name, in: Set(all.keys.map(\.text)))
      throw Failure(
        .badData,
        "the statistics have no module \"\(name)\", which the plan prunes; "
          + (nearest.map { "the nearest name is \"\($0)\"; " } ?? "")
          + "collect it, or use --method magnitude")
    }
    return all
  }
}
