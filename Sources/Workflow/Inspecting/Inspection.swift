public import Collectives
internal import Curvature
internal import PlanFiles
internal import TensorFiles

/// What a file or folder holds: a sentence, facts and a table.
public struct Inspection: Codable, Sendable, Equatable {
  public struct Fact: Codable, Sendable, Equatable {
    public let name: String
    public let value: String
  }
  public let path: String
  public let kind: String
  public let facts: [Fact]
  public let columns: [String]
  public let rows: [[String]]
  /// Scores: a second table, of the modules behind the units.
  public let modules: Modules?

  public struct Modules: Codable, Sendable, Equatable {
    public let columns: [String]
    public let rows: [[String]]
  }

  /// The columns of its tables that a narrow screen does without, in that order.
  public static let spared =
    [
      "quantities", "tokens", "samples", "gradient norm²", "parameters", "type", "π", "modules",
      "folds",
      "gain ≤", "gain ≥", "condition ≤", "damping",
    ] + ModuleColumns.spared

  init(
    path: String, kind: String, facts: [Fact], columns: [String], rows: [[String]],
    modules: Modules? = nil
  ) {
    self.path = path
    self.kind = kind
    self.facts = facts
    self.columns = columns
    self.rows = rows
    self.modules = modules
  }

  /// Whether a path is a plan or scores, by its name.
  private static func isDocument(_ path: String) -> Bool {
    [".json", ".csv", ".npy", ".txt"].contains { path.hasSuffix($0) }
  }

  private static func look(at path: String) throws(Failure) -> Inspection {
    if isDocument(path) {
      let file = try InputFile(path: path)
      return try look(atDocument: file)
    }
    do { return checkpoint(try TensorCollection(path: path), path: path) } catch {
      throw Failure(error)
    }
  }

  /// Looks at a statistics file or folder, a checkpoint, a scores or a plan file.
  ///
  /// Statistics are read by all ranks, each its slice (`SurveyRequest`); of anything else rank 0
  /// reads headers and documents, and no tensor. Collective. Returns nil on the other ranks.
  public static func of(
    _ request: SurveyRequest, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> Inspection? {
    let path = request.path
    let isStatistics = try agreed(over: world) { () throws(Failure) in
      try holdsStatistics(path)
    }
    // Ranks that see different files would part here and wait for each other for ever.
    try requireSameInput(isStatistics ? 1 : 0, what: path, over: world)
    if isStatistics { return try request.inspection(over: world) }
    return try agreed(over: world) { () throws(Failure) in
      world.rank == 0 ? try look(at: path) : nil
    }
  }

  /// Whether a path holds statistics: our own by their metadata, kronfluence's by their folder.
  private static func holdsStatistics(_ path: String) throws(Failure) -> Bool {
    if isDocument(path) { return false }
    do {
      if try FolderListing.isFolder(path), Statistics.isKronfluenceFolder(path) { return true }
      return try TensorCollection(path: path).metadata["format"] == Statistics.format
    } catch {
      throw Failure(error)
    }
  }

  private static func look(atDocument file: InputFile) throws(Failure) -> Inspection {
    let format = DocumentCoding.format(of: file.bytes)
    do throws(PlanFileError) {
      switch format {
      case PlanDocument.format:
        return plan(
          try DocumentCoding.decode(PlanDocument.self, from: file.bytes, source: file.path),
          path: file.path)
      case ScoresDocument.format, nil:
        break
      case let other?:
        throw .invalid(
          "\(file.path): its format is \"\(other)\", which inspect does not know; it shows "
            + "statistics, checkpoints, scores and plans")
      }
    } catch {
      throw Failure(error)
    }
    return scores(try GainSource.scores(in: file), path: file.path)
  }

  private static func checkpoint(_ tensors: TensorCollection, path: String) -> Inspection {
    let entries = tensors.names.compactMap { tensors[$0] }.sorted {
      NaturalName($0.name) < NaturalName($1.name)
    }
    return Inspection(
      path: path, kind: "safetensors with \(entries.count) tensors",
      facts: [
        Fact(name: "elements", value: "\(entries.reduce(0) { $0 + $1.elementCount })"),
        Fact(name: "bytes", value: "\(tensors.totalByteCount)"),
      ] + tensors.metadata.sorted { $0.key < $1.key }.map { Fact(name: $0.key, value: $0.value) },
      columns: ["tensor", "type", "shape", "elements"],
      rows: entries.map {
        [
          $0.name, $0.elementType.rawValue,
          $0.shape.map(String.init).joined(separator: " × "), "\($0.elementCount)",
        ]
      })
  }

  private static func scores(_ scores: ScoresDocument, path: String) -> Inspection {
    let modules = scores.units.flatMap(\.modulesDetail)
    return Inspection(
      path: path, kind: "scores of \(scores.units.count) units",
      facts: [
        Fact(name: "curvature", value: scores.curvature),
        Fact(name: "damping", value: scores.damping),
        Fact(name: "parameters", value: "\(scores.units.reduce(0) { $0 + $1.parameters })"),
      ] + scores.notes.map { Fact(name: "note", value: $0) },
      columns: ["unit", "modules", "parameters", "gain", "gradient norm²", "quality"],
      rows: scores.units.map {
        [
          $0.name, "\($0.modules.count)", "\($0.parameters)", NumberText.short($0.gain),
          $0.gradientNormSquared.map(NumberText.short) ?? "",
          $0.quality.map(NumberText.short) ?? "",
        ]
      },
      modules: modules.isEmpty
        ? nil
        : Modules(columns: ModuleColumns.titles, rows: modules.map(ModuleColumns.cells)))
  }

  private static func plan(_ plan: PlanDocument, path: String) -> Inspection {
    let answer = plan.program == .pruning ? NumberText.share : NumberText.capacity
    return Inspection(
      path: path, kind: "\(plan.program.rawValue) plan of \(plan.units.count) units",
      facts: [
        Fact(name: "price", value: "\(plan.price)"), Fact(name: "budget", value: "\(plan.budget)"),
        Fact(name: "spent", value: "\(plan.spent)"),
        Fact(name: "gap", value: "\(plan.certificate.gap)"),
        Fact(name: "kkt residual", value: "\(plan.certificate.kktResidual)"),
      ] + plan.notes.map { Fact(name: "note", value: $0) },
      columns: ["unit", "quality", "continuous", "integer", "at bound"],
      rows: plan.units.map {
        [
          $0.name, NumberText.short($0.quality), answer($0.continuous),
          $0.integer.map(String.init) ?? "", $0.atBound ?? "",
        ]
      })
  }
}
