internal import ArgumentParser
internal import Collectives
internal import Exports
internal import Workflow

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a plan for the program that acts on it.",
    discussion: """
      peft, mola and deepspeed take plans of allocate; rho, owl, llm-compressor and evopress plans of \
      prune; csv both.

        layerbudget export ranks.json --to peft --checkpoint model/ -o adapter/
        layerbudget export pruning.json --to llm-compressor --method wanda \\
          -o recipe.yaml
      """)

  @Argument(
    help: "Plan of layerbudget allocate or prune.", completion: .file(extensions: ["json"]))
  var plan: String

  @Option(name: .customLong("to"), help: "The program that reads it.")
  var format: ExportFormat

  @Option(
    help: "Hugging Face folder: every name of the plan must match one module there.",
    completion: .directory)
  var checkpoint: String?

  @Option(
    name: .shortAndLong,
    help: "File to write, or - for standard output; for peft a folder or a .json file.",
    completion: .file())
  var output: String

  @Option(parsing: .unconditional, help: "peft: alpha divided by rank, for every module (2).")
  var alphaPerRank: Double?

  @Option(parsing: .unconditional, help: "mola: experts per token, where a layer has so many (2).")
  var topK: Int?

  @Option(help: "llm-compressor: its modifier (sparsegpt).")
  var method: CompressorRecipe.Modifier?

  @Option(
    parsing: .unconditional,
    help: "evopress: weights between two levels, weights_diff of its database.")
  var levelStep: Int?

  @Option(parsing: .unconditional, help: "evopress: sparsity of level 0 (the plan's).")
  var levelSparsity: Double?

  @Option(parsing: .unconditional, help: "evopress: levels above and below 0 (8).")
  var levels: Int?

  @OptionGroup(title: "Output") var printing: OutputOptions

  func validate() throws {
    try requireUsed()
    if let alphaPerRank, !(alphaPerRank > 0 && alphaPerRank.isFinite) {
      throw ValidationError("--alpha-per-rank is \(alphaPerRank), but must be positive and finite")
    }
    for (name, value) in [("--top-k", topK), ("--level-step", levelStep), ("--levels", levels)] {
      if let value, value < 1 {
        throw ValidationError("\(name) is \(value), but must be 1 or more")
      }
    }
    if let levelSparsity, !(levelSparsity > 0 && levelSparsity < 1) {
      throw ValidationError("--level-sparsity is \(levelSparsity), but must be between 0 and 1")
    }
    guard format != .evopress || levelStep != nil else {
      throw ValidationError(
        "--to evopress counts in levels of its database: give --level-step, its weights_diff")
    }
    guard !output.isEmpty else { throw ValidationError("give -o a file name") }
  }

  /// An option that the format does not know would be an unnoticed mistake.
  private func requireUsed() throws {
    let given: [(name: String, given: Bool, format: ExportFormat)] = [
      ("--alpha-per-rank", alphaPerRank != nil, .peft), ("--top-k", topK != nil, .mola),
      ("--method", method != nil, .compressor), ("--level-step", levelStep != nil, .evopress),
      ("--level-sparsity", levelSparsity != nil, .evopress), ("--levels", levels != nil, .evopress),
    ]
    for option in given where option.given && option.format != format {
      throw ValidationError("\(option.name) is for --to \(option.format.rawValue)")
    }
  }

  func run() throws {
    var request = ExportRequest(plan: plan, format: format, output: output)
    request.checkpoint = checkpoint
    request.settings.alphaPerRank = alphaPerRank ?? request.settings.alphaPerRank
    request.settings.topK = topK ?? request.settings.topK
    request.settings.modifier = method ?? request.settings.modifier
    request.settings.database = levelStep.map {
      EvoPressDatabase(sparsity: levelSparsity, step: $0, levels: levels ?? 8)
    }
    Launch.run(printing, ExportWork(request: request, printing: printing))
  }
}

private struct ExportWork: Launch.Work {
  let request: ExportRequest
  let printing: OutputOptions

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard let (exported, path) = try request.run(over: world) else { return }
    // Standard output takes the text itself, and nothing beside it.
    let isPiped = path == "-"
    if isPiped { Process.writeToStandardOutput(exported.text) }
    guard !printing.quiet else { return }
    if printing.json, !isPiped {
      try Printed.json(Report(exported, path: path, format: request.format))
      return
    }
    if !isPiped { Process.writeToStandardOutput("\(path): \(exported.summary)\n") }
    Process.print(notes: exported.notes)
  }

  private struct Report: Encodable {
    let path: String
    let to: String
    let summary: String
    let notes: [String]

    init(_ exported: Exported, path: String, format: ExportFormat) {
      self.path = path
      to = format.rawValue
      summary = exported.summary
      notes = exported.notes
    }
  }
}
