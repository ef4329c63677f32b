internal import ArgumentParser
internal import Collectives
internal import PlanFiles
internal import Workflow

struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Compute the gain of every unit from statistics.",
    discussion: """
      What each block, module or expert could still learn, and how sure that is. This is the step that \
      takes time: ranks share it, and a run that was stopped goes on where it was.

        layerbudget score --statistics stats.safetensors -o scores.json
        mpirun -n 4 layerbudget score --statistics stats/ --curvature diagonal \\
          --group-by module -o scores.json
      """)

  @OptionGroup var computing: StatisticsOptions
  @OptionGroup var journal: JournalOptions
  @Option(
    help: "Folder of the model's weights (safetensors): the scores then hold damage too.",
    completion: .directory)
  var checkpoint: String?

  @OptionGroup(title: "Quality") var quality: QualityOptions
  @OptionGroup(title: "Output") var printing: OutputOptions

  @Option(name: .shortAndLong, help: "Scores file to write.", completion: .file())
  var output: String?

  @Flag(help: "Print a row per module too: damping, π, bounds, condition, precision.")
  var details = false

  @OptionGroup(title: "Dry run") var dry: DryRunOptions

  func validate() throws {
    guard computing.statistics != nil else { throw ValidationError("give --statistics PATH") }
    guard output != nil || dry.dryRun else { throw ValidationError("give -o FILE, or --dry-run") }
  }

  func run() throws {
    var statistics = computing.request(computing.statistics ?? "")
    statistics.checkpoint = checkpoint
    if dry.dryRun {
      Launch.run(printing, DryRunWork(statistics: statistics, ranks: dry.ranks, printing: printing))
      return
    }
    statistics.journal = journal.request(beside: output, printing)
    var request = ScoreRequest(statistics: statistics, output: output ?? "")
    request.quality = quality.rule
    Launch.run(
      printing, ScoreWork(request: request, details: details, printing: printing))
  }
}

private struct ScoreWork: Launch.Work {
  let request: ScoreRequest
  let details: Bool
  let printing: OutputOptions
  var stopsBetweenUnits: Bool { true }

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard let document = try request.run(over: world) else { return }
    try Printed.document(document, notes: document.notes, printing) {
      ScoreTable(document).text(details: details, on: $0)
    }
  }
}

/// Prints the division of the work instead of doing it.
struct DryRunWork: Launch.Work {
  let statistics: StatisticsRequest
  let ranks: Int?
  let printing: OutputOptions

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    let plan = try DryRun.of(statistics, ranks: ranks, over: world)
    if world.rank == 0 { try Printed.dryRun(plan, printing) }
  }
}
