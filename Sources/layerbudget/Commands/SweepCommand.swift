internal import Allocation
internal import ArgumentParser
internal import Collectives
internal import PlanFiles
internal import Workflow

struct SweepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Plan for many budgets or sparsities in one pass.",
    discussion: """
      Every point has the bits of a plan made alone, and all searches share their allreduces: the way to \
      see what a larger budget would buy.

        layerbudget sweep --scores scores.json --budget 96 128 160 --integer \\
          -o sweep.json
        mpirun -n 4 layerbudget sweep --scores scores.json --sparsity 0.3 0.5 0.7 \\
          -o sweep.csv
      """)

  @OptionGroup var input: SourceOptions

  @Option(
    parsing: .upToNextOption,
    help: "Budgets, as for allocate and all in one unit: 96 128 160, or \"1 GiB\" \"2 GiB\".")
  var budget: [String] = []

  @Option(parsing: .upToNextOption, help: "Shares of all weights to remove, 0 to 1.")
  var sparsity: [Double] = []

  @OptionGroup(title: "Bounds") var bounds: BoundsOptions

  @Flag(help: "With --budget: also give whole numbers.")
  var integer = false

  @Option(help: "With --budget: whole numbers are multiples of this.")
  var multipleOf = 1

  @Option(
    help: "With --budget: log, power:θ or spectrum, as for allocate.",
    transform: CapacityUtility.ofArgument)
  var utility = CapacityUtility.log

  @Option(help: "With --sparsity: N:M patterns, as for prune.")
  var pattern = "none"

  @Option(help: "How the price is searched for; all give the same bits.")
  var search = PriceSearch.Method.accelerated

  @OptionGroup(title: "Capacity, with --budget") var capacity: CapacityOptions
  @OptionGroup(title: "Program, with --budget") var capacityProgram: CapacityProgramOptions
  @OptionGroup(title: "Program, with --sparsity") var pruning: PruningProgramOptions
  @OptionGroup(title: "Quality") var quality: QualityOptions
  @OptionGroup(title: "Output") var printing: OutputOptions

  @Option(
    name: .shortAndLong, help: "File to write: JSON, or CSV where its name ends in .csv.",
    completion: .file())
  var output: String

  func validate() throws {
    guard budget.isEmpty != sparsity.isEmpty else {
      throw ValidationError("give --budget or --sparsity, one of them, with one or more values")
    }
    guard multipleOf >= 1 else {
      throw ValidationError("--multiple-of is \(multipleOf), but must be 1 or more")
    }
    _ = try program()
    _ = try source()
  }

  /// The gains, with what the program needs beside them.
  private func source() throws -> GainSource {
    var source = try input.source()
    do throws(Failure) {
      if budget.isEmpty, case .statistics(var statistics) = source {
        statistics.checkpoint = capacity.checkpoint
        source = .statistics(statistics)
      } else if !budget.isEmpty, utility == .spectrum {
        source = .statistics(try source.askedForSpectra(of: capacity.unit))
      }
    } catch {
      throw ValidationError(error.message)
    }
    return source
  }

  /// What cannot be swept says so before anything is read.
  private func pruningRequest() throws -> PruneRequest {
    let hasWeights = capacity.checkpoint != nil
    guard utility == .log else {
      throw ValidationError("--utility \(utility) is for --budget; with --sparsity give --psi")
    }
    guard !hasWeights || input.computing.statistics != nil else {
      throw ValidationError(
        "--checkpoint with --sparsity needs --statistics PATH: scores do not hold the curvature of "
          + "single weights")
    }
    let curve = pruning.curve(hasWeights: hasWeights)
    if curve == .measured {
      guard hasWeights else {
        throw ValidationError(
          "--psi measured needs the weights and their curvature: give --checkpoint DIR and "
            + "--statistics PATH")
      }
      guard pruning.eta == nil, pruning.damage == nil, pruning.depthPrior == nil else {
        throw ValidationError(
          "--eta, --damage and --depth-prior are for the closed forms; the measured curve has none")
      }
    }
    if pruning.judgment(hasWeights: hasWeights) == .damage, !hasWeights, input.scores == nil {
      throw ValidationError(
        "--quality damage needs the weights: give --checkpoint DIR, or --scores made with it")
    }
    for sparsity in sparsity { _ = try pruning.program(sparsity: sparsity) }
    var request = PruneRequest(
      source: try input.source(),
      program: try pruning.program(sparsity: sparsity[0], hasWeights: hasWeights), output: output)
    request.curve = curve
    request.judgedBy = pruning.judgment(hasWeights: hasWeights)
    request.measuredKappa = pruning.kappa ?? request.measuredKappa
    if pattern != "none" {
      guard let patterns = SparsityPatterns(pattern) else {
        throw ValidationError(
          "--pattern is \(pattern), but must be none, N:M such as 2:4, or a list")
      }
      request.patterns = patterns
    }
    return request
  }

  private func program() throws -> SweepRequest.Program {
    guard budget.isEmpty else {
      var program = try capacityProgram.program()
      program.step = multipleOf
      guard pattern == "none" else {
        throw ValidationError("--pattern \(pattern) is for --sparsity")
      }
      let measures = try budget.map { try capacity.measure(budget: $0) }
      if let other = measures.firstIndex(where: {
        $0.budget.measure != measures[0].budget.measure
      }) {
        throw ValidationError(
          "--budget \(budget[other]) \(counted(measures[other])), but "
            + "\(budget[0]) \(counted(measures[0])); give all in one unit")
      }
      switch utility {
      case .log: break
      case .power(let theta): program.utility = .power(theta)
      case .spectrum: return .spectrum(program, measures)
      }
      return .capacity(program, measures, wholeNumbers: integer)
    }
    return .pruning(try pruningRequest(), sparsities: sparsity)
  }

  private func counted(_ measure: CapacityMeasure) -> String {
    let unit = measure.budget.measure
    return unit == .costs ? "names no unit" : "counts \(unit.rawValue)"
  }

  func run() throws {
    let bounds = bounds.request(maximum: budget.isEmpty ? 1 : .infinity)
    var request = SweepRequest(
      source: try source(), program: try program(), bounds: bounds, output: output)
    request.quality = quality.rule
    request.search = search
    Launch.run(printing, SweepWork(request: request, printing: printing))
  }
}

private struct SweepWork: Launch.Work {
  let request: SweepRequest
  let printing: OutputOptions

  func perform(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    guard let (document, _) = try request.run(over: world) else { return }
    try Printed.document(document, notes: document.notes, printing) {
      SweepTable(document).text(on: $0)
    }
  }
}

/// A row per point: the price curve. The units' answers are in the file.
private struct SweepTable {
  let document: SweepDocument

  init(_ document: SweepDocument) {
    self.document = document
  }

  func text(on page: Page) -> String {
    let isPruning = document.program == .pruning
    let answer = isPruning ? NumberText.share : NumberText.capacity
    var table = TextTable(columns: [
      .number(isPruning ? "sparsity" : "budget"), .number("price"), .number("spent"),
      .number("whole"), .number("smallest unit", spare: 1), .number("largest unit", spare: 2),
      .number("gap", spare: 0),
    ])
    for (index, point) in document.points.enumerated() {
      let answers = document.units.map { $0.continuous[index] }
      table.add([
        NumberText.short(point.sparsity ?? point.budget), NumberText.short(point.price),
        NumberText.short(point.spent), point.spentInteger.map(NumberText.short) ?? "",
        answer(answers.min() ?? 0), answer(answers.max() ?? 0),
        NumberText.short(point.gap),
      ])
    }
    let unit = BudgetUnit(document.program, document.parameters)
    let counted = isPruning ? "" : unit.name.map { ", budgets in \($0)" } ?? ""
    return page.text(
      of: table,
      below: "\n\(document.units.count) units at \(document.points.count) points\(counted)\n",
      notes: document.notes)
  }
}
