internal import Checkpoints
internal import Collectives
internal import Curvature
internal import PlanFiles
internal import Pruning
internal import TensorFiles

/// What a rank has done: its modules with what was written of each.
struct ApplyOutcomes {
  var modules: [(module: PlannedModule, record: ApplyRecord)] = []
  /// Tensors that are one planned module each, of all ranks.
  let wholeTensors: Set<NaturalName>
  /// Sum of checksums of what was read of the statistics.
  var statisticsContents: UInt64 = 0
}

extension ApplySlices {
  /// Prunes this rank's modules and copies its other bytes, one module in memory at a time.
  /// Reports progress; not collective.
  func perform(
    _ request: ApplyRequest, _ inputs: ApplyInputs, _ folder: OutputFolder,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> ApplyOutcomes {
    let rank = world.rank
    let (tasks, copies) = owned(by: rank)
    let written = try WrittenFolder(folder, inputs.checkpoint)
    var journal = try ApplyJournal(folder, rank: rank)
    var pruner = ModulePruner(request, inputs)
    var outcomes = ApplyOutcomes(wholeTensors: wholeTensors(in: inputs.checkpoint))
    var steps = ProgressSteps(.pruning, work: work(of: rank))
    for task in tasks {
      world.report(steps.begin())
      for module in try pruner.counted(task) {
        let record = try pruner.prune(module, into: written, &journal)
        outcomes.modules.append((module, record))
        outcomes.statisticsContents &+= UInt64(record.statistics, radix: 16) ?? 0
      }
    }
    for copy in copies {
      world.report(steps.begin())
      try written.copy(copy.range, ofFile: copy.file)
    }
    world.report(steps.end())
    return outcomes
  }
}
