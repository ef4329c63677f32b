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
      mpirun -n 4 layerbudget inspect plan.json --verify --statistics stats/ --checkpoint model
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

  @OptionGroup(title: "Plans") var verification: VerificationOptions

  @OptionGroup(title: "Output") var printing: OutputOptions

  func run() throws {
    if verification.verify {
      Launch.run(
        printing, VerifyWork(path: path, inputs: verification.inputs, printing: printing))
      return
    }
    var request = SurveyRequest(path: path)
    request.kind = curvature
    request.damping = damping
    request.tokensPerSample = tokensPerSample
    request.headersOnly = headers
    Launch.run(printing, InspectWork(request: request, printing: printing))
  }
}

/// Whether a plan is checked, and against what.
struct VerificationOptions: ParsableArguments {
  @Flag(
    help:
      "Make the plan again from what is given below (else solve it again from itself) and compare."
  )
  var verify = false

  @Option(help: "Scores that the plan was made from.")
  var scores: String?

  @Option(help: "Names that its scores were given.")
  var scoreNames: String?

  @Option(help: "Statistics that the plan was made from; computed with --threads as then.")
  var statistics: String?

  @Option(help: "Checkpoint that the plan was made with.")
  var checkpoint: String?

  @Option(help: "Table of bounds that the plan was made with.")
  var bounds: String?

  @Option(help: "Table of costs that the plan was made with.")
  var costs: String?

  @Option(help: "Table of units' own alpha and gamma that the plan was made with.")
  var program: String?

  @Option(help: "Nodes file that the budget came from.")
  var nodes: String?

  var inputs: VerificationInputs {
    var inputs = VerificationInputs()
    inputs.scores = scores
    inputs.scoreNames = scoreNames
    inputs.statistics = statistics
    inputs.checkpoint = checkpoint
    inputs.bounds = bounds
    inputs.costs = costs
    inputs.program = program
    inputs.nodes = nodes
    return inputs
  }

  func validate() throws {
    let given = [
      ("--scores", scores), ("--score-names", scoreNames), ("--statistics", statistics),
      ("--checkpoint", checkpoint), ("--bounds", bounds), ("--costs", costs),
      ("--program", program), ("--nodes", nodes),
    ]
    if !verify, let option = given.first(where: { $0.1 != nil })?.0 {
      throw ValidationError("\(option) is for --verify")
    }
  }
}

private struct VerifyWork: Launch.Work {
  let path: String
  let inputs: VerificationInputs
  let printing: OutputOptions

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    let verification = try PlanVerification.of(path, from: inputs, over: world)
    if let verification, printing.json {
      try Printed.json(verification)
    } else if let verification, !printing.quiet {
      var text = verification.checked.map { "checked: \($0)\n" }.joined()
      text += verification.unchecked.map { "not checked: \($0)\n" }.joined()
      text += verification.disagreements.map { "differs: \($0)\n" }.joined()
      Process.writeToStandardOutput(text)
    }
    try PlanVerification.requireAgreement(verification, in: path, over: world)
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
