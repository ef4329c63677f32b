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
    for (what, fingerprint) in inputs.fingerprints {
      try requireSameInput(fingerprint, what: what, over: world)
    }
    let planned = try agreed(over: world) { () throws(Failure) in
      try PlannedModules(of: self, in: inputs)
    }

    // 2. Where to: files of their final size under a temporary name, or those of an earlier run.
    let key = inputs.key(of: self)
    try agreed(over: world) { () throws(Failure) in
      if world.rank == 0 { try folder.prepare(like: inputs.checkpoint, key: key) }
    }

    // 3. Every rank prunes its modules and copies its share of all other bytes.
    let slices = ApplySlices(planned, inputs.checkpoint, self, ranks: world.size)
    let clock = ContinuousClock()
    let start = clock.now
    let outcomes = try agreed(over: world) { () throws(Failure) in
      try slices.perform(self, inputs, folder, over: world)
    }

    // 4. What was written is read again: zeros counted, bytes hashed.
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
      searchSeconds: nil, search: nil, over: world)

    // 5. The rest of the folder, the sidecar, the name.
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
      try folder.finish(document, run: run)
      return document
    }
    guard let document, let run else { return nil }
    return (document, run)
  }
}
