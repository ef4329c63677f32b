internal import Allocation
internal import ArgumentParser
internal import Collectives
internal import Workflow

struct PruneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Decide which share of each unit's weights to remove.",
    discussion: """
      One price is found at which the removed weights add up to the sparsity. With --checkpoint it is \
      known what units would lose, and the plan is better; apply acts on it.

        layerbudget prune --scores scores.json --sparsity 0.5 --max 0.9 -o plan.json
        mpirun -n 4 layerbudget prune --statistics stats/ --checkpoint model/ \\
          --sparsity 0.5 -o plan.json
      """)

  @OptionGroup var input: SourceOptions
  @OptionGroup var journal: JournalOptions

  @Option(
    help: "Folder of the model's weights (safetensors), for measured damage; needs --statistics.",
    completion: .directory)
  var checkpoint: String?

  @Option(parsing: .unconditional, help: "Share of all weights to remove, 0 to 1.")
  var sparsity: Double

  @Option(
    parsing: .unconditional, help: "Reward b for a removed weight; shifts the reported price only.")
  var b = 16.0

  @Option(parsing: .unconditional, help: "Weight eta of the damage, for the closed forms (2).")
  var eta: Double?

  @Option(
    parsing: .unconditional,
    help: """
      Exponent of the quality: 1 for gains, 0.25 for damages, 0 (no weighting) for the measured curve.
      """)
  var kappa: Double?

  @Option(help: "Shape of the damage. Default quadratic for gains, log for damages.")
  var psi: PruningCurve?

  @Option(
    name: .customLong("quality"),
    help: "What makes the quality. Default damage with --checkpoint, else gain.")
  var judgedBy: QualitySource?

  @Option(
    help: """
      N:M patterns, N zeros in M inputs: 2:4 allows 0:4 to 2:4, a list 0:4,2:4 names them; or none.
      """)
  var pattern = "none"

  @Option(
    help: "Damage of the closed forms. Default per-unit for gains, per-weight for damages.")
  var damage: PruningProgram.Damage?

  @Option(
    parsing: .unconditional,
    help: "Depth prior tau of the closed forms: positive prunes early units more.")
  var depthPrior: Double?

  @OptionGroup(title: "Bounds") var bounds: BoundsOptions

  @Option(help: "How the price is searched for; all give the same bits.")
  var search = PriceSearch.Method.accelerated

  @OptionGroup(title: "Quality") var quality: QualityOptions
  @OptionGroup(title: "Output") var printing: OutputOptions

  @Option(name: .shortAndLong, help: "Plan file to write.", completion: .file())
  var output: String?

  @OptionGroup(title: "Dry run") var dry: DryRunOptions

  func validate() throws {
    guard (0...1).contains(sparsity) else {
      throw ValidationError("--sparsity is \(sparsity), but must be between 0 and 1")
    }
    _ = try patterns()
    try requireCheckpoint()
    guard output != nil || dry.dryRun else { throw ValidationError("give -o FILE, or --dry-run") }
    if dry.dryRun { _ = try input.statisticsForDryRun() }
  }

  // The defaults: the paper's for gains, and for damages those with the best worst case in
  // docs/pruning-study.md.
  private var judgment: QualitySource { judgedBy ?? (checkpoint == nil ? .gain : .damage) }
  private var curve: PruningCurve { psi ?? (judgment == .gain ? .quadratic : .log) }

  private func patterns() throws -> SparsityPatterns? {
    guard pattern != "none" else { return nil }
    guard let patterns = SparsityPatterns(pattern) else {
      throw ValidationError(
        "--pattern is \(pattern), but must be none, N:M such as 2:4 with N zeros in M inputs, or a "
          + "list of such with one M, up to \(SparsityPatterns.largestGroup)")
    }
    return patterns
  }

  /// What needs the weights says so before anything is read.
  private func requireCheckpoint() throws {
    if checkpoint != nil, input.computing.statistics == nil {
      throw ValidationError(
        "--checkpoint needs --statistics PATH too: scores do not hold the curvature of single weights"
      )
    }
    if curve == .measured, checkpoint == nil {
      throw ValidationError(
        "--psi measured needs the weights and their curvature: give --checkpoint DIR and --statistics "
          + "PATH" + (input.scores == nil ? "" : " instead of --scores"))
    }
    if judgment == .damage, checkpoint == nil, input.scores == nil {
      throw ValidationError(
        "--quality damage needs the weights: give --checkpoint DIR, or --scores that were made with it"
      )
    }
    guard curve == .measured else { return }
    let given = [
      ("--eta", eta != nil), ("--damage", damage != nil), ("--depth-prior", depthPrior != nil),
    ]
    if let option = given.first(where: \.1)?.0 {
      throw ValidationError(
        "\(option) is for the closed forms; the measured curve has none, use --psi quadratic or log"
      )
    }
  }

  func run() throws {
    var source = try input.source(keeping: journal.request(beside: output, printing))
    if case .statistics(var statistics) = source {
      statistics.checkpoint = checkpoint
      source = .statistics(statistics)
    }
    if dry.dryRun {
      let work = DryRunWork(
        statistics: try input.statisticsForDryRun(), ranks: dry.ranks, printing: printing)
      Launch.run(printing, work)
      return
    }
    var program = PruningProgram(sparsity: sparsity)
    program.b = b
    program.eta = eta ?? program.eta
    program.kappa = kappa ?? (judgment == .gain ? 1 : 0.25)
    program.psi = PruningProgram.Psi(rawValue: curve.rawValue) ?? program.psi
    program.damage = damage ?? (judgment == .gain ? .perUnit : .perWeight)
    program.depthPrior = depthPrior ?? program.depthPrior
    var request = PruneRequest(source: source, program: program, output: output ?? "")
    request.quality = quality.rule
    request.judgedBy = judgment
    request.curve = curve
    request.measuredKappa = kappa ?? request.measuredKappa
    request.patterns = try patterns()
    request.bounds = bounds.request(maximum: 1)
    request.search = search
    Launch.run(printing, PruneWork(request: request, printing: printing))
  }
}

private struct PruneWork: Launch.Work {
  let request: PruneRequest
  let printing: OutputOptions
  var stopsBetweenUnits: Bool { request.source.computesGains }

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard let (plan, run) = try request.run(over: world) else { return }
    try Printed.plan(plan, run, printing)
  }
}
