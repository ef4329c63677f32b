internal import Checkpoints
public import Collectives
public import Curvature
public import PlanFiles
public import Pruning
internal import TensorFiles

/// `layerbudget apply`: a pruning plan and a checkpoint in, a pruned checkpoint out.
public struct ApplyRequest: Sendable {
  /// How a unit's count is divided over its modules.
  public enum Within: String, CaseIterable, Sendable {
    /// Every module loses the same share.
    case uniform
    /// One threshold over the unit, on the method's own measure.
    case global
  }

  public var plan: String
  public var checkpoint: String
  /// The folder to write; it appears when it is complete.
  public var output: String
  public var method = PruningMethod.magnitude
  public var within = Within.uniform
  /// N:M for a plan that was made without; a plan's own patterns need no repetition.
  public var pattern: RemovalPattern?
  /// Statistics with the inputs' second moments, for wanda and sparsegpt.
  public var statistics: String?
  /// Of sparsegpt's arithmetic.
  public var precision = Precision.single
  /// Whether modules that an earlier run has written are kept.
  public var resumes = true
  /// Told at rank 0, as it happens, what a reader should know of an earlier run.
  public var note: @Sendable (String) -> Void = { _ in }

  public init(plan: String, checkpoint: String, output: String) {
    self.plan = plan
    self.checkpoint = checkpoint
    self.output = output
  }

  /// plan, checkpoint → modules → counts → pruned words → folder → recount → name.
  ///
  /// Collective: every rank calls and writes its own modules. Returns the sidecar at rank 0, nil
  /// elsewhere; throws the same failure on every rank. The output's name exists only after success; a
  /// run that ended early is continued by the next one with the same arguments.
  public func run(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (document: ApplyDocument, run: RunDocument)? {
    let record = RunRecord(command: "apply")
    // 1. What to do: every rank reads plan and headers and finds the same modules.
    let folder = OutputFolder(output)
    try agreed(over: world) { () throws(Failure) in
      if world.rank == 0 { try folder.requireFree(besides: checkpoint) }
    }
    try requireSharedFolder(DurableFolder.parent(of: output), over: world)
    let inputs = try agreed(over: world) { () throws(Failure) in try ApplyInputs(self) }
    try inputs.requireSame(over: world)
    let planned = try agreed(over: world) { () throws(Failure) in
      try PlannedModules(of: self, in: inputs)
    }

    // 2. Where to: files of their final size under a temporary name, or those of an earlier run.
    let basis = inputs.journalBasis(of: self)
    let removed = try agreed(over: world) { () throws(Failure) -> String? in
      guard world.rank == 0 else { return nil }
      return try folder.prepare(like: inputs.checkpoint, basis: basis, resumes: resumes)
    }
    if let removed { note(removed) }
    var request = JournalRequest(beside: folder.name)
    request.note = note
    var journal = try Journal<ApplyRecord>(request, basis: { basis }, over: world)

    // 3. Every rank prunes its modules and copies its share of all other bytes.
    let slices = ApplySlices(planned, inputs.checkpoint, self, ranks: world.size)
    let clock = ContinuousClock()
    let start = clock.now
    let outcomes: ApplyOutcomes
    do throws(Failure) {
      outcomes = try agreed(over: world) { () throws(Failure) in
        try slices.perform(self, inputs, folder, &journal, over: world)
      }
    } catch {
      if world.rank == 0 { request.removeStopMark() }
      throw error
    }
    let resumption = try resumption(
      outcomes, of: planned, request, [removed].compactMap(\.self) + journal.notes,
      over: world)

    // 4. Zeros of what was written against the plan; hashes of all other tensors, from the files.
    let checked = try agreed(over: world) { () throws(Failure) in
      try WrittenFolder(folder, inputs.checkpoint)
        .check(outcomes, over: world)
    }
    let seconds = start.duration(to: clock.now).inSeconds
    let modules = try gatherUnits(checked.modules, over: world)
    let tensors = try gatherUnits(checked.tensors, over: world)
    var contents = [Int128(checked.statisticsContents)]
    world.sum(&contents)
    let run = try record.finish(
      slice: slices.slice(of: world.rank, seconds: seconds), scoringSeconds: nil,
      searchSeconds: nil, search: nil, resumption: resumption, over: world)

    // 5. The rest of the folder, the sidecar, the name: rank 0's work, which the others watch.
    let files = world.rank == 0 ? inputs.checkpoint.tensors.files : []
    var steps = ProgressSteps(.storing, work: files.map { Double($0.byteCount) })
    world.report(world.rank == 0 ? steps.begin() : steps.end())
    let document = try agreed(over: world) { () throws(Failure) -> ApplyDocument? in
      guard world.rank == 0, let run else { return nil }
      let copied = try folder.copyOtherFiles(from: inputs.checkpoint)
      let document = ApplyDocument(
        method: method.rawValue, within: within.rawValue,
        pattern: pattern?.description ?? planned.pattern ?? "none",
        precision: method == .sparsegpt ? precision.rawValue : nil, modules: modules,
        tensors: tensors, files: copied.files,
        inputs: inputs.documented(
          tensors: tensors, statisticsContents: UInt64(truncatingIfNeeded: contents[0])),
        notes: planned.notes + copied.notes)
      steps = ProgressSteps(.storing, work: files.map { Double($0.byteCount) })
      try folder.finish(document, run: run) { world.report(steps.begin()) }
      return document
    }
    guard let document, let run else { return nil }
    request.removeAfterSuccess()
    return (document, run)
  }

  /// What was resumed, added up. Ends every rank where one has stopped and work is left. Collective.
  private func resumption(
    _ outcomes: ApplyOutcomes, of planned: PlannedModules,
    _ journal: JournalRequest, _ notes: [String], over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> Resumption {
    var sums = [
      outcomes.isStopped ? 1 : 0, outcomes.modules.count, outcomes.resumed,
    ].map { Int128($0) }
    world.sum(&sums)
    let total = planned.units.reduce(0) { $0 + $1.count }
    guard sums[0] == 0 else {
      if world.rank == 0 { journal.removeStopMark() }
      throw Failure(
        .interrupted,
        "stopped by a signal after \(sums[1]) of \(total) modules, which are kept in "
          + "\(output).partial; the same command goes on from there")
    }
    var resumption = Resumption(count: Int(sums[2]), notes: notes)
    if resumption.count > 0 {
      let text =
        "\(resumption.count) of \(total) modules are kept as an earlier run wrote them; --no-resume "
        + "writes them again"
      resumption.notes.append(text)
      if world.rank == 0 { note(text) }
    }
    return resumption
  }
}
