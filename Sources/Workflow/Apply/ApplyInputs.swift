internal import Checkpoints
internal import Collectives
internal import Curvature
internal import PlanFiles
internal import Pruning
internal import TensorFiles

/// The plan, the checkpoint and the statistics of an apply, opened; no tensor read.
struct ApplyInputs {
  let plan: RemovalPlan
  let planFile: InputFile
  let checkpoint: Checkpoint
  let statistics: Statistics?

  init(_ request: ApplyRequest) throws(Failure) {
    planFile = try InputFile(path: request.plan)
    do throws(PlanFileError) {
      plan = try DocumentCoding.decode(
        RemovalPlan.self, from: planFile.bytes, source: request.plan)
    } catch {
      throw Failure(error)
    }
    guard plan.format == PlanDocument.format else {
      throw Failure(
        .badData,
        "\(request.plan): its format is \"\(plan.format)\", but apply needs \"\(PlanDocument.format)\"; "
          + "make a plan with layerbudget prune")
    }
    guard plan.program == .pruning else {
      throw Failure(
        .badData,
        "\(request.plan): is a plan of the \(plan.program.rawValue) program, but apply removes weights; "
          + "make one with layerbudget prune")
    }
    do throws(CheckpointError) {
      checkpoint = try Checkpoint(path: request.checkpoint)
    } catch {
      throw Failure(error)
    }
    guard request.method.needsActivations else {
      statistics = nil
      return
    }
    guard let path = request.statistics else {
      throw Failure(
        .usage,
        "--method \(request.method.rawValue) weighs weights by their inputs: give --statistics PATH "
          + "with .activation_covariance, or use --method magnitude")
    }
    do throws(CurvatureError) { statistics = try Statistics(path: path) } catch {
      throw Failure(error)
    }
  }

  /// Refuses inputs that the ranks do not see alike. Collective.
  func requireSame(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    try requireSameInput(planFile.checksum, what: planFile.path, over: world)
    try requireSameTensors(checkpoint, what: checkpoint.path, over: world)
    if let statistics { try requireSameTensors(statistics, what: "the statistics", over: world) }
  }

  /// What decides what is written; contents are compared module by module.
  func journalBasis(of request: ApplyRequest) -> JournalBasis {
    var own = [
      "method": request.method.rawValue, "within": request.within.rawValue,
      "pattern": request.pattern?.description ?? "none",
      "plan": planFile.checksum.hexadecimal,
      "checkpoint":
        "\(checkpoint.headerFingerprint.hexadecimal) of \(checkpoint.totalByteCount) bytes",
    ]
    if let statistics {
      own["statistics"] =
        "\(statistics.headerFingerprint.hexadecimal) of \(statistics.totalByteCount) bytes"
    }
    if request.method == .sparsegpt {
      own["precision"] = request.precision.rawValue
      own.merge(JournalBasis.arithmetic) { _, new in new }
    }
    return JournalBasis(records: "modules", options: own)
  }

  /// For the sidecar.
  func documented(
    tensors: [ApplyDocument.Tensor], statisticsContents: UInt64
  ) -> [String: InputFingerprint] {
    let hashes = tensors.map(\.input).joined(separator: " ")
    var inputs = [
      "plan": InputFingerprint(
        bytes: planFile.bytes.count, headers: nil, contents: planFile.checksum.hexadecimal),
      "checkpoint": InputFingerprint(
        bytes: checkpoint.totalByteCount, headers: checkpoint.headerFingerprint.hexadecimal,
        contents: XXHash64.hash(Array(hashes.utf8)).hexadecimal),
    ]
    if let statistics {
      inputs["statistics"] = InputFingerprint(
        bytes: statistics.totalByteCount, headers: statistics.headerFingerprint.hexadecimal,
        contents: statisticsContents.hexadecimal)
    }
    return inputs
  }
}
