internal import ArgumentParser
internal import Collectives
internal import Curvature
internal import Workflow

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what statistics, a checkpoint, scores or a plan hold.",
    discussion: """
      layerbudget inspect stats.safetensors
      mpirun -n 4 layerbudget inspect stats/ --curvature kronecker --damping absolute:1e-3
      layerbudget inspect plan.json --json
      """)

  @Argument(help: "A safetensors file or folder, a scores file or a plan.")
  var path: String

  @Option(
    help: "Statistics: the curvature to show (\(CurvatureKind.names)); the first possible if none.")
  var curvature: CurvatureKind?

  @Option(help: "Statistics: damping, relative:R or absolute:L.")
  var damping = Damping.standard

  @Option(help: "Statistics: tokens per sample, a number or auto, for kfac and kronecker.")
  var tokensPerSample = TokensPerSample.fixed(1)

  @Flag(help: "Statistics: read headers and counts only, no values.")
  var headers = false

  @OptionGroup(title: "Output") var printing: OutputOptions

  func run() throws {
    var request = SurveyRequest(path: path)
    request.kind = curvature
    request.damping = damping
    request.tokensPerSample = tokensPerSample
    request.headersOnly = headers
    Launch.run(threads: 1, InspectWork(request: request, printing: printing))
  }
}

private struct InspectWork: Launch.Work {
  let request: SurveyRequest
  let printing: OutputOptions

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard let inspection = try Inspection.of(request, over: world), !printing.quiet else { return }
    if printing.json {
      try Printed.json(inspection)
      return
    }
    var text = "\(inspection.path): \(inspection.kind)\n"
    for fact in inspection.facts { text += "  \(fact.name): \(fact.value)\n" }
    text += "\n" + table(inspection.columns, inspection.rows)
    if let modules = inspection.modules { text += "\n" + table(modules.columns, modules.rows) }
    Process.writeToStandardOutput(text)
  }

  /// Columns of numbers to the right, the others to the left.
  private func table(_ columns: [String], _ rows: [[String]]) -> String {
    var table = TextTable(
      columns: columns.enumerated().map { index, name in
        index == 0 || rows.contains { Double($0[index]) == nil && !$0[index].isEmpty }
          ? .text(name) : .number(name)
      })
    for row in rows { table.add(row) }
    return table.text
  }
}
