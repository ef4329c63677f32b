internal import ArgumentParser
internal import Curvature
internal import Workflow

/// Options of `score`, shared by every command that can compute gains itself.
struct StatisticsOptions: ParsableArguments {
  @Option(
    help: "Statistics file or folder (safetensors), or kronfluence's folder of factors.",
    completion: .file())
  var statistics: String?

  @Option(help: "What stands for the Hessian; docs/curvature.md says which when.")
  var curvature = CurvatureKind.kfac

  @Option(help: "Damping: relative:R (times the mean eigenvalue) or absolute:L.")
  var damping = Damping.standard

  @Option(help: "Of factorizations; single falls back to double where needed.")
  var precision = Precision.single

  @Option(
    help: """
      Of the gain; auto cross-fits where the statistics hold folds, but not under fisher.
      """)
  var gain = GainRule.automatic

  @Option(
    help: """
      Tokens per sample c, a number or auto (from the counts), by which kfac and kronecker \
      curvature is multiplied: 1 is per token.
      """)
  var tokensPerSample = TokensPerSample.fixed(1)

  @Option(
    help: """
      What becomes of modules with a dense factor of an order above \(GainOptions.largestFactor).
      """)
  var largeModules = LargeFactorRule.error

  @Option(
    help: "Units: block, module, expert, or a regular expression with a capture group.",
    completion: .list(["block", "module", "expert"]))
  var groupBy = "block"

  @Option(help: "Only modules whose name this regular expression finds.")
  var include: String?

  @Option(help: "No modules whose name this regular expression finds.")
  var exclude: String?

  func validate() throws {
    guard tokensPerSample == .fixed(1) || curvature.isPerToken else {
      throw ValidationError(
        "--tokens-per-sample \(tokensPerSample) is for kfac and kronecker; \(curvature.rawValue) "
          + "is per sample already")
    }
  }

  func request(_ path: String) -> StatisticsRequest {
    var request = StatisticsRequest(path: path)
    request.options = GainOptions(
      kind: curvature, damping: damping, precision: precision, rule: gain,
      tokensPerSample: tokensPerSample, largeFactors: largeModules)
    request.selection = UnitSelection(
      grouping: UnitGrouping(groupBy), include: include, exclude: exclude)
    return request
  }
}

/// Where gains come from: computed from statistics, or read.
struct SourceOptions: ParsableArguments {
  @Option(
    help: """
      Scores file: JSON of layerbudget score, CSV name,gain[,parameters], or what other programs write: \
      a JSON object or list, a row of numbers in .npy or text.
      """, completion: .file())
  var scores: String?

  @Option(
    help: "Names for scores that have none: one per line, or CSV name,parameters (model.layers.N).",
    completion: .file())
  var scoreNames: String?

  @OptionGroup(title: "Gains from statistics")
  var computing: StatisticsOptions

  func source() throws -> GainSource {
    switch (scores, computing.statistics) {
    case (let scores?, nil): return .scores(path: scores, names: scoreNames)
    case (nil, let path?): return .statistics(computing.request(path))
    case (nil, nil): throw ValidationError("give --scores FILE or --statistics PATH")
    case (_?, _?): throw ValidationError("give either --scores or --statistics, not both")
    }
  }

  /// The same with a journal, where gains are computed.
  func source(keeping journal: JournalRequest?) throws -> GainSource {
    guard case .statistics(var request) = try source() else { return try source() }
    request.journal = journal
    return .statistics(request)
  }

  /// The statistics whose computation a dry run shows.
  func statisticsForDryRun() throws -> StatisticsRequest {
    guard case .statistics(let request) = try source() else {
      throw ValidationError("--dry-run shows the work on --statistics; --scores need none")
    }
    return request
  }

  func validate() throws {
    _ = try source()
    guard scoreNames == nil || scores != nil else {
      throw ValidationError("--score-names names the values of --scores FILE; give both")
    }
  }
}
