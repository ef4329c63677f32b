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
    let names = units.map { $0.modules ?? Self.modules(of: $0, in: inputs.checkpoint) }
    if let empty = zip(units, names).first(where: { $0.1.isEmpty }) {
      throw Self.unknown(empty.0.name, in: inputs.checkpoint)
    }
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

  /// The modules of a unit that only has a name: the module of that name, or all in the block.
  private static func modules(of unit: RemovalPlan.Unit, in checkpoint: Checkpoint) -> [String] {
    let single = try? checkpoint.weights(of: [ModuleShape(name: unit.name)])
    return single == nil ? checkpoint.modules(under: unit.name) : [unit.name]
  }

  private static func unknown(_ name: String, in checkpoint: Checkpoint) -> Failure {
    // Names of modules and of everything that modules are in.
    var names: Set<String> = []
    for tensor in checkpoint.tensors.names {
      let parts = tensor.split(separator: ".")
      for length in parts.indices.dropFirst() {
        names.insert(parts[..<length].joined(separator: "."))
      }
    }
    let nearest = NearestName.of(name, in: names)
    return Failure(
      .badData,
      "\(checkpoint.path): nothing is named as the plan's unit \"\(name)\"; "
        + (nearest.map { "the nearest name is \"\($0)\"; " } ?? "")
        + "the plan is of another model, or names layers in another way")
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
