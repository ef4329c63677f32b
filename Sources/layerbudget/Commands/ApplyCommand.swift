internal import ArgumentParser
internal import Collectives
internal import Curvature
internal import PlanFiles
internal import Pruning
internal import Workflow

struct ApplyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Write the pruned checkpoint that a plan asks for.",
    discussion: """
      The folder appears when it is complete; the checkpoint is not changed. A run that was stopped goes \
      on where it was when it is repeated.

        layerbudget apply pruning.json --checkpoint model/ -o pruned/
        mpirun -n 4 layerbudget apply pruning.json --checkpoint model/ \\
          --statistics stats/ --method sparsegpt -o pruned/
      """)

  @Argument(help: "Plan of layerbudget prune.", completion: .file(extensions: ["json"]))
  var plan: String

  @Option(
    help: "Hugging Face folder whose weights to prune; it is not changed.", completion: .directory)
  var checkpoint: String

  @Option(name: .shortAndLong, help: "Folder to write.", completion: .directory)
  var output: String?

  @Option(
    help: "How weights of a matrix are chosen. Default wanda with --statistics, else magnitude.")
  var method: PruningMethod?

  @Option(help: "How a unit's count is divided over its modules.")
  var within = ApplyRequest.Within.uniform

  @Option(
    help: """
      none, or N:M: N of every M inputs become 0, for plans made without --pattern. N counts zeros.
      """)
  var pattern = "none"

  @Option(
    help: "Statistics with the inputs' second moments, for wanda and sparsegpt.",
    completion: .file())
  var statistics: String?

  @Option(help: "Arithmetic of sparsegpt.")
  var precision = Precision.single

  @Flag(inversion: .prefixedNo, help: "Go on with what a run that was stopped had done.")
  var resume = true

  @OptionGroup(title: "Output") var printing: OutputOptions

  @OptionGroup(title: "Dry run") var dry: DryRunOptions

  private var chosenMethod: PruningMethod {
    method ?? (statistics == nil ? .magnitude : .wanda)
  }

  func validate() throws {
    guard pattern == "none" || RemovalPattern(pattern) != nil else {
      throw ValidationError("--pattern is \(pattern), but must be none or N:M with N ≤ M ≤ 64")
    }
    guard !chosenMethod.needsActivations || statistics != nil else {
      throw ValidationError(
        "--method \(chosenMethod.rawValue) weighs weights by their inputs: give --statistics PATH")
    }
    guard dry.dryRun || output?.isEmpty == false else {
      throw ValidationError("give -o FOLDER, or --dry-run")
    }
  }

  func run() throws {
    var request = ApplyRequest(plan: plan, checkpoint: checkpoint, output: output ?? "")
    request.method = chosenMethod
    request.within = within
    request.pattern = RemovalPattern(pattern)
    request.statistics = statistics
    request.precision = precision
    request.resumes = resume
    if !printing.quiet { request.note = Printed.note }
    Launch.run(
      printing, ApplyWork(request: request, dry: dry, printing: printing))
  }
}

private struct ApplyWork: Launch.Work {
  let request: ApplyRequest
  let dry: DryRunOptions
  let printing: OutputOptions
  var stopsBetweenUnits: Bool { !dry.dryRun }

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard !dry.dryRun else {
      let plan = try request.dryRun(ranks: dry.ranks, over: world)
      if world.rank == 0 { try Printed.dryRun(plan, printing) }
      return
    }
    guard let (document, run) = try request.run(over: world) else { return }
    try Printed.document(document, notes: document.notes, printing) {
      ApplyTable(document, run).text(on: $0)
    }
  }
}
