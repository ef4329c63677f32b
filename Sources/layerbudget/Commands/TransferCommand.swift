internal import Allocation
internal import ArgumentParser
internal import Collectives
internal import PlanFiles
internal import Workflow

struct TransferCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transfer",
    abstract: "Say whether a plan for one set of scores still holds on another.",
    discussion: """
      The regret on the target and its bounds, unit by unit. With --tolerance the exit code is 3 where \
      the bound is beyond it: plan again.

        layerbudget transfer --source a.json --target b.json --budget 160 \\
          -o transfer.json
        layerbudget transfer --source a.json --target b.json --sparsity 0.5 \\
          --tolerance 1e9 -o transfer.json
      """)

  @Option(help: "Scores that the plan is made for.", completion: .file())
  var source: String

  @Option(help: "Scores of the same units that it is judged on.", completion: .file())
  var target: String

  @Option(
    help: "Names for both, where they have none: one per line, or CSV name,parameters.",
    completion: .file())
  var scoreNames: String?

  @Option(parsing: .unconditional, help: CapacityOptions.budgetHelp)
  var budget: String?

  @Option(parsing: .unconditional, help: "Share of all weights to remove, 0 to 1.")
  var sparsity: Double?

  @Option(parsing: .unconditional, help: "Regret that is allowed, in units of the objective.")
  var tolerance: Double?

  @OptionGroup(title: "Bounds") var bounds: BoundsOptions

  @Option(
    help: "With --budget: worth of capacity, log or power:θ as for allocate.",
    transform: CapacityUtility.ofArgument)
  var utility = CapacityUtility.log

  @Option(help: "How the price is searched for; all give the same bits.")
  var search = PriceSearch.Method.accelerated

  @OptionGroup(title: "Capacity, with --budget") var capacity: CapacityOptions
  @OptionGroup(title: "Program, with --budget") var capacityProgram: CapacityProgramOptions
  @OptionGroup(title: "Program, with --sparsity") var pruning: PruningProgramOptions
  @OptionGroup(title: "Quality") var quality: QualityOptions
  @OptionGroup(title: "Output") var printing: OutputOptions

  @Option(name: .shortAndLong, help: "File to write.", completion: .file())
  var output: String

  func validate() throws {
    guard (budget == nil) != (sparsity == nil) else {
      throw ValidationError("give --budget or --sparsity, one of them")
    }
    if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
      throw ValidationError("--tolerance is \(tolerance), but must be zero or positive")
    }
    _ = try program()
  }

  private func program() throws -> TransferRequest.Program {
    if let budget {
      var program = try capacityProgram.program()
      switch utility {
      case .log: break
      case .power(let theta): program.utility = .power(theta)
      case .spectrum:
        throw ValidationError(
          "--utility spectrum cannot be transferred: its worth is a list of steps, not a function of "
            + "qualities, and has no strong convexity to bound a regret by; use log or power:θ")
      }
      return .capacity(program, try capacity.measure(budget: budget))
    }
    guard utility == .log else {
      throw ValidationError("--utility \(utility) is for --budget; with --sparsity give --psi")
    }
    guard pruning.psi != .measured else {
      throw ValidationError(
        "--psi measured cannot be transferred: the measured curve is of single weights, not of qualities, "
          + "and has no strong convexity to bound a regret by; use quadratic or log")
    }
    return .pruning(
      try pruning.program(sparsity: sparsity ?? 0),
      judgedBy: pruning.judgment(hasWeights: false))
  }

  func run() throws {
    let program = try program()
    let bounds = bounds.request(maximum: budget == nil ? 1 : .infinity)
    var request = TransferRequest(
      source: .scores(path: source, names: scoreNames),
      target: .scores(path: target, names: scoreNames), program: program, bounds: bounds,
      output: output)
    request.quality = quality.rule
    request.search = search
    request.tolerance = tolerance
    Launch.run(printing, TransferWork(request: request, printing: printing))
  }
}

/// The pruning program's closed form, with the defaults of `prune` for each kind of quality.
struct PruningProgramOptions: ParsableArguments {
  @Option(
    name: .customLong("quality"),
    help: "What makes the quality; damage needs scores made with --checkpoint.")
  var judgedBy: QualitySource?

  @Option(parsing: .unconditional, help: "Weight eta of the damage, for the closed forms (2).")
  var eta: Double?

  @Option(parsing: .unconditional, help: "Exponent of the quality: 1 for gains, 0.25 for damages.")
  var kappa: Double?

  @Option(help: "Shape of the damage. Default quadratic for gains, log for damages.")
  var psi: PruningCurve?

  @Option(help: "Kind of damage. Default per-unit for gains, per-weight for damages.")
  var damage: PruningProgram.Damage?

  @Option(parsing: .unconditional, help: "Depth prior tau: positive prunes early units more.")
  var depthPrior: Double?

  func judgment(hasWeights: Bool) -> QualitySource { judgedBy ?? (hasWeights ? .damage : .gain) }

  func curve(hasWeights: Bool) -> PruningCurve {
    psi ?? (judgment(hasWeights: hasWeights) == .gain ? .quadratic : .log)
  }

  /// The closed form; for the measured curve those that it is compared with.
  func program(sparsity: Double, hasWeights: Bool = false) throws -> PruningProgram {
    guard (0...1).contains(sparsity) else {
      throw ValidationError("--sparsity is \(sparsity), but must be between 0 and 1")
    }
    var program = PruningProgram(sparsity: sparsity)
    let isGain = judgment(hasWeights: hasWeights) == .gain
    program.eta = eta ?? program.eta
    program.kappa = kappa ?? (isGain ? 1 : 0.25)
    program.psi =
      PruningProgram.Psi(rawValue: curve(hasWeights: hasWeights).rawValue) ?? program.psi
    program.damage = damage ?? (isGain ? .perUnit : .perWeight)
    program.depthPrior = depthPrior ?? program.depthPrior
    return program
  }
}

private struct TransferWork: Launch.Work {
  let request: TransferRequest
  let printing: OutputOptions

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    let document = try request.run(over: world)
    if let document {
      try Printed.document(document, notes: document.notes, printing) {
        TransferTable(document).text(on: $0)
      }
    }
    try request.requireTolerable(document, over: world)
  }
}
