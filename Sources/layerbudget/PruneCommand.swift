internal import Allocation
internal import ArgumentParser
internal import Collectives
internal import Workflow

struct PruneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Decide which share of each unit's weights to remove.",
    discussion: """
      layerbudget prune --statistics stats.safetensors --sparsity 0.5 --max 0.9 -o plan.json
      mpirun -n 4 layerbudget prune --scores scores.json --sparsity 0.6 -o plan.json
      """)

  @OptionGroup var input: SourceOptions

  @Option(parsing: .unconditional, help: "Share of all weights to remove, 0 to 1.")
  var sparsity: Double

  @Option(
    parsing: .unconditional, help: "Reward b for a removed weight; shifts the reported price only.")
  var b = 16.0

  @Option(parsing: .unconditional, help: "Weight eta of the damage.")
  var eta = 2.0

  @Option(parsing: .unconditional, help: "Exponent of the quality.")
  var kappa = 1.0

  @Option(help: "Shape of the damage: \(PruningProgram.Psi.names).")
  var psi = PruningProgram.Psi.quadratic

  @Option(help: "Damage \(PruningProgram.Damage.names).")
  var damage = PruningProgram.Damage.perUnit

  @Option(parsing: .unconditional, help: "Depth prior tau: positive prunes early units more.")
  var depthPrior = 0.0

  @Option(
    name: .customLong("min"), parsing: .unconditional, help: "Smallest share to remove from a unit."
  )
  var minimum = 0.0

  @Option(
    name: .customLong("max"), parsing: .unconditional, help: "Largest share to remove from a unit.")
  var maximum = 1.0

  @Option(help: "CSV name,lower,upper with bounds of single units.")
  var bounds: String?

  @Option(name: .customLong("fix"), help: "REGEX=SHARE: fix matching units; may be repeated.")
  var fixed: [String] = []

  @Option(help: "Search: \(PriceSearch.Method.names); all give the same bits.")
  var search = PriceSearch.Method.accelerated

  @OptionGroup(title: "Quality") var quality: QualityOptions
  @OptionGroup(title: "Output") var printing: OutputOptions

  @Option(name: .shortAndLong, help: "Plan file to write.")
  var output: String?

  @Flag(help: "Print what each rank would own, and stop.")
  var dryRun = false

  func validate() throws {
    guard (0...1).contains(sparsity) else {
      throw ValidationError("--sparsity is \(sparsity), but must be between 0 and 1")
    }
    guard output != nil || dryRun else { throw ValidationError("give -o FILE, or --dry-run") }
    if dryRun { _ = try input.statisticsForDryRun() }
  }

  func run() throws {
    let source = try input.source()
    if dryRun {
      let work = DryRunWork(statistics: try input.statisticsForDryRun(), printing: printing)
      Launch.run(threads: printing.threads, work)
      return
    }
    var program = PruningProgram(sparsity: sparsity)
    program.b = b
    program.eta = eta
    program.kappa = kappa
    program.psi = psi
    program.damage = damage
    program.depthPrior = depthPrior
    var request = PruneRequest(source: source, program: program, output: output ?? "")
    request.quality = quality.rule
    request.bounds = BoundsRequest(maximum: maximum)
    request.bounds.minimum = minimum
    request.bounds.table = bounds
    request.bounds.fixed = fixed
    request.search = search
    Launch.run(threads: printing.threads, PruneWork(request: request, printing: printing))
  }
}

private struct PruneWork: Launch.Work {
  let request: PruneRequest
  let printing: OutputOptions

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard let (plan, run) = try request.run(over: world) else { return }
    try Printed.plan(plan, run, printing)
  }
}
