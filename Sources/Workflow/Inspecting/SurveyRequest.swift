internal import Collectives
public import Curvature
internal import PlanFiles

/// `layerbudget inspect STATISTICS`: the numbers by which to judge curvature, without any gain.
public struct SurveyRequest: Sendable {
  public var path: String
  /// The curvature to survey; nil for the first that every module allows, of kfac, ekfac, diagonal,
  /// fisher, dense and identity.
  public var kind: CurvatureKind?
  public var damping = Damping.standard
  public var tokensPerSample = TokensPerSample.fixed(1)
  public var largeFactors = LargeFactorRule.diagonal
  /// Whether to read no values, only headers and counts.
  public var headersOnly = false

  public init(path: String) {
    self.path = path
  }

  /// Every rank surveys its slice of the modules; rank 0 gets the table. Collective.
  func inspection(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> Inspection? {
    let statistics: Statistics = try agreed(over: world) { () throws(Failure) in
      do throws(CurvatureError) { return try Statistics(path: path) } catch { throw Failure(error) }
    }
    try requireSameTensors(statistics, what: path, over: world)
    let modules = statistics.modules
    let kind = kind ?? Self.firstAllowed(by: modules)
    let mine = try agreed(over: world) { () throws(Failure) in
      try rows(of: modules, kind, statistics, over: world)
    }
    let all: [[String]] = try gatherUnits(mine, over: world)
    return world.rank == 0 ? table(statistics, kind, rows: all) : nil
  }

  private static func firstAllowed(by modules: [ModuleStatistics]) -> CurvatureKind {
    let preferred: [CurvatureKind] = [.kfac, .ekfac, .diagonal, .fisher, .dense]
    return preferred.first { kind in modules.allSatisfy { $0.allows(kind) } } ?? .identity
  }

  /// Rows of the modules this rank owns. A module that lacks the kind's quantities shows what it has.
  private func rows(
    of modules: [ModuleStatistics], _ kind: CurvatureKind, _ statistics: Statistics,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> [IndexedUnit<[String]>] {
    let options = GainOptions(
      kind: kind, damping: damping, precision: .double, tokensPerSample: tokensPerSample,
      largeFactors: largeFactors)
    let computer = GainComputer(statistics: statistics, options: options)
    var rows: [IndexedUnit<[String]>] = []
    let mine = Array(stride(from: world.rank, to: modules.count, by: world.size))
    var steps = ProgressSteps(
      .surveying,
      work: mine.map {
        kind.floatingPointOperations(of: modules[$0], rule: options.effectiveRule)
      })
    for index in mine {
      world.report(steps.begin())
      let module = modules[index]
      do throws(CurvatureError) {
        let survey =
          headersOnly || !module.allows(kind) ? nil : try computer.survey(of: module)
        rows.append(IndexedUnit(index: index, unit: Self.cells(module, survey)))
      } catch {
        throw Failure(error)
      }
    }
    world.report(steps.end())
    return rows
  }

  private static let columns = [
    "module", "out", "in", "samples", "tokens", "folds", "gradient norm²", "damping", "π",
    "condition ≤", "gain ≥", "gain ≤", "quantities",
  ]

  private static func cells(_ module: ModuleStatistics, _ survey: ModuleSurvey?) -> [String] {
    func text(_ value: Double?) -> String { value.map(NumberText.short) ?? "" }
    func text(count: Double?) -> String {
      count.flatMap { Int(exactly: $0) }.map(String.init) ?? ""
    }
    return [
      module.name, "\(module.outputs)", "\(module.inputs)",
      text(count: module.samples), text(count: module.tokens),
      module.folds.map { "\($0)" } ?? "", text(survey?.gradientNormSquared),
      text(survey?.facts.damping), text(survey?.facts.pi), text(survey?.largestCondition),
      text(survey?.bounds.lower), text(survey?.bounds.upper), module.summary,
    ]
  }

  private func table(
    _ statistics: Statistics, _ kind: CurvatureKind, rows: [[String]]
  ) -> Inspection {
    let allowed = CurvatureKind.allCases.filter { kind in
      statistics.modules.allSatisfy { $0.allows(kind) }
    }
    let surveyed = headersOnly ? "none, headers only" : "\(kind.rawValue), damping \(damping)"
    return Inspection(
      path: path, kind: "statistics of \(statistics.modules.count) modules",
      facts: statistics.description.map { Inspection.Fact(name: $0.name, value: $0.value) } + [
        Inspection.Fact(name: "tensors", value: "\(statistics.tensorCount)"),
        Inspection.Fact(name: "bytes", value: "\(statistics.totalByteCount)"),
        Inspection.Fact(
          name: "parameters",
          value: "\(statistics.modules.reduce(0) { $0 + $1.parameters })"),
        Inspection.Fact(
          name: "curvatures that every module allows",
          value: allowed.map(\.rawValue).joined(separator: ", ")),
        Inspection.Fact(name: "curvature shown", value: surveyed),
      ],
      columns: Self.columns, rows: rows)
  }
}
