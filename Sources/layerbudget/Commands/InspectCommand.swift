internal import ArgumentParser
internal import Collectives
internal import Curvature
internal import PlanFiles
internal import Workflow

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what statistics, a checkpoint, scores or a plan hold.",
    discussion: """
      Statistics with what their curvature is worth, module by module; plans with --verify, which makes \
      them again and compares.

        layerbudget inspect stats.safetensors
        layerbudget inspect slots.json --verify --scores scores.json
        mpirun -n 4 layerbudget inspect stats/ --curvature kronecker \\
          --damping absolute:1e-3
      """)

  @Argument(help: "A safetensors file or folder, a scores file or a plan.", completion: .file())
  var path: String

  @Option(help: "Statistics: the curvature to show; the first possible if none.")
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

  @Option(help: "Scores that the plan was made from.", completion: .file())
  var scores: String?

  @Option(help: "Names that its scores were given.", completion: .file())
  var scoreNames: String?

  @Option(
    help: "Statistics that the plan was made from; computed with --threads as then.",
    completion: .file())
  var statistics: String?

  @Option(help: "Checkpoint that the plan was made with.", completion: .directory)
  var checkpoint: String?

  @Option(help: "Table of bounds that the plan was made with.", completion: .file())
  var bounds: String?

  @Option(help: "Table of costs that the plan was made with.", completion: .file())
  var costs: String?

  @Option(
    help: "Table of units' own alpha and gamma that the plan was made with.", completion: .file())
  var program: String?

  @Option(help: "Nodes file that the budget came from.", completion: .file())
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
    if let verification, !printing.quiet, printing.json {
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
    text += "\n"
    let page = printing.page
    guard let modules = inspection.modules else {
      Process.writeToStandardOutput(
        page.text(of: table(inspection.columns, inspection.rows), above: text, below: ""))
      return
    }
    Process.writeToStandardOutput(
      page.half.text(of: table(inspection.columns, inspection.rows), above: text, below: "\n")
        + page.half.text(of: table(modules.columns, modules.rows), below: ""))
  }

  /// Columns of numbers to the right, the others to the left.
  private func table(_ columns: [String], _ rows: [[String]]) -> TextTable {
    var table = TextTable(
      columns: columns.enumerated().map { index, name in
        if index == 0 { return .text(name) }
        let spare = Inspection.spared.firstIndex(of: name)
        return rows.contains { Double($0[index]) == nil && !$0[index].isEmpty }
          ? .text(name, spare: spare) : .number(name, spare: spare)
      })
    for row in rows {
      table.add(row.prefix(1) + row.dropFirst().map { Int($0).map(NumberText.grouped) ?? $0 })
    }
    return table
  }
}
