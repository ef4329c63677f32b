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
  /// Modules that an earlier run had written.
  var resumed = 0
  /// Whether it stopped before all was done.
  var isStopped = false
}

extension ApplySlices {
  /// Prunes this rank's modules and copies its other bytes, one module in memory at a time; stops
  /// between two of them where that is asked for. Reports progress; not collective.
  func perform(
    _ request: ApplyRequest, _ inputs: ApplyInputs, _ folder: OutputFolder,
    _ journal: inout Journal<ApplyRecord>, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> ApplyOutcomes {
    var outcomes = ApplyOutcomes(wholeTensors: wholeTensors(in: inputs.checkpoint))
    do throws(Failure) {
      try perform(request, inputs, folder, &journal, &outcomes, over: world)
      try journal.close(stopping: outcomes.isStopped)
    } catch {
      // What is done stays done; this rank's own failure is the one to tell.
      journal.stopOthers()
      try? journal.close(stopping: false)
      throw error
    }
    return outcomes
  }

  private func perform(
    _ request: ApplyRequest, _ inputs: ApplyInputs, _ folder: OutputFolder,
    _ journal: inout Journal<ApplyRecord>, _ outcomes: inout ApplyOutcomes,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    let (tasks, copies) = owned(by: world.rank)
    let written = try WrittenFolder(folder, inputs.checkpoint)
    var pruner = ModulePruner(request, inputs)
    var steps = ProgressSteps(.pruning, work: work(of: world.rank))
    for task in tasks {
      if journal.shouldStop() {
        outcomes.isStopped = true
        return
      }
      world.report(steps.begin())
      for module in try pruner.counted(task) {
        if journal.shouldStop() {
          outcomes.isStopped = true
          return
        }
        let record = try pruner.prune(module, into: written, &journal)
        outcomes.modules.append((module, record))
        outcomes.statisticsContents &+= UInt64(record.statistics, radix: 16) ?? 0
      }
    }
    outcomes.resumed = pruner.resumed
    for copy in copies {
      if journal.shouldStop() {
        outcomes.isStopped = true
        return
      }
      world.report(steps.begin())
      try written.copy(copy.range, ofFile: copy.file)
    }
    world.report(steps.end())
  }
}

extension ApplyRecord: JournalRecord {
  var journalName: String { module }
}
