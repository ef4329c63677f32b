internal import Allocation
internal import ArgumentParser
internal import Collectives
internal import Workflow

struct AllocateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allocate",
    abstract: "Share a budget of expert slots, ranks or bytes among units.",
    discussion: """
      One price is found at which the units' own answers add up to the budget; whole numbers too with \
      --integer. The plan carries a certificate, by which inspect --verify checks it.

        layerbudget allocate --statistics stats.safetensors --budget 96 --integer \\
          -o plan.json
        mpirun -n 4 layerbudget allocate --scores scores.json --budget 160 --min 1 \\
          -o plan.json
      """)

  @OptionGroup var input: SourceOptions
  @OptionGroup var journal: JournalOptions

  @Option(parsing: .unconditional, help: CapacityOptions.budgetHelp)
  var budget: String

  @OptionGroup(title: "Capacity") var capacity: CapacityOptions

  @OptionGroup(title: "Bounds") var bounds: BoundsOptions

  @Option(
    help: """
      Worth of capacity: log(s + x), power:θ for (s + x)^θ/θ with 0 < θ < 1, or for --unit rank spectrum: \
      what each rank takes off the loss, from statistics of kfac (or identity) curvature.
      """, transform: CapacityUtility.ofArgument)
  var utility = CapacityUtility.log

  @OptionGroup(title: "Program") var options: CapacityProgramOptions

  @Flag(help: "Also give whole numbers.")
  var integer = false

  @Option(help: "Whole numbers are multiples of this.")
  var multipleOf = 1

  @Option(help: "How the price is searched for; all give the same bits.")
  var search = PriceSearch.Method.accelerated

  @OptionGroup(title: "Quality") var quality: QualityOptions
  @OptionGroup(title: "Output") var printing: OutputOptions

  @Option(name: .shortAndLong, help: "Plan file to write.", completion: .file())
  var output: String?

  @OptionGroup(title: "Dry run") var dry: DryRunOptions

  func validate() throws {
    _ = try capacity.measure(budget: budget)
    guard multipleOf >= 1 else {
      throw ValidationError("--multiple-of is \(multipleOf), but must be 1 or more")
    }
    guard output != nil || dry.dryRun else { throw ValidationError("give -o FILE, or --dry-run") }
    if dry.dryRun { _ = try input.statisticsForDryRun() }
    if utility == .spectrum { try requireSpectrum() }
  }

  private func requireSpectrum() throws {
    do {
      _ = try input.source().askedForSpectra(of: capacity.unit)
    } catch let failure as Failure {
      throw ValidationError(failure.message)
    }
  }

  func run() throws {
    let source = try input.source(keeping: journal.request(beside: output, printing))
    if dry.dryRun {
      let statistics =
        utility == .spectrum
        ? try source.askedForSpectra(of: capacity.unit) : try input.statisticsForDryRun()
      let work = DryRunWork(statistics: statistics, ranks: dry.ranks, printing: printing)
      Launch.run(printing, work)
      return
    }
    var program = try options.program()
    program.step = multipleOf
    var request = AllocateRequest(
      source: source, measure: try capacity.measure(budget: budget), output: output ?? "")
    request.program = program
    request.quality = quality.rule
    request.bounds = bounds.request(maximum: .infinity)
    request.wholeNumbers = integer
    request.utility = utility
    request.search = search
    Launch.run(printing, AllocateWork(request: request, printing: printing))
  }
}

private struct AllocateWork: Launch.Work {
  let request: AllocateRequest
  let printing: OutputOptions
  var stopsBetweenUnits: Bool { request.source.computesGains }

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard let (plan, run) = try request.run(over: world) else { return }
    try Printed.plan(plan, run, printing)
  }
}
