internal import Checkpoints
public import Collectives
public import Exports
internal import PlanFiles
internal import TensorFiles

/// `layerbudget export`: a plan in, the same plan in another program's words out.
public struct ExportRequest: Sendable {
  public var plan: String
  public var format: ExportFormat
  /// Hugging Face folder in which the plan's names are looked up.
  public var checkpoint: String?
  /// A file; for peft a folder or a `.json` file; `-` writes nothing and leaves the text to the caller.
  public var output: String
  public var settings = ExportSettings()

  public init(plan: String, format: ExportFormat, output: String) {
    self.plan = plan
    self.format = format
    self.output = output
  }

  /// plan, headers of the checkpoint → text → file.
  ///
  /// Collective: every rank reads the plan and makes the same text, rank 0 writes it. Returns the text
  /// and where it went at rank 0, nil elsewhere; throws the same failure on every rank.
  public func run(
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) -> (exported: Exported, path: String)? {
    // 1. Where to: refused before any work.
    let target = ExportTarget(output, format: format)
    try agreed(over: world) { () throws(Failure) in
      if world.rank == 0 { try target.requireWritable() }
    }
    // 2. The plan, and the names it is about; the same on every rank.
    let file = try agreed(over: world) { () throws(Failure) in try InputFile(path: plan) }
    try requireSameInput(file.checksum, what: plan, over: world)
    let headers = try agreed(over: world) { () throws(Failure) in try openedCheckpoint() }
    if let headers {
      try requireSameInput(headers.headerFingerprint, what: headers.path, over: world)
    }
    // 3. The text, and its place.
    let exported = try agreed(over: world) { () throws(Failure) in
      let outline = try outline(of: file)
      do throws(ExportError) {
        return try format.export(outline, checkpoint: headers, settings: resolvedSettings)
      } catch {
        throw Failure(.badData, "\(plan): \(error)")
      }
    }
    try agreed(over: world) { () throws(Failure) in
      if world.rank == 0 { try target.write(exported.text) }
    }
    return world.rank == 0 ? (exported, target.path) : nil
  }

  private func openedCheckpoint() throws(Failure) -> Checkpoint? {
    guard let path = checkpoint else { return nil }
    do throws(CheckpointError) { return try Checkpoint(path: path) } catch { throw Failure(error) }
  }

  private func outline(of file: InputFile) throws(Failure) -> PlanOutline {
    let outline: PlanOutline
    do throws(PlanFileError) {
      outline = try DocumentCoding.decode(PlanOutline.self, from: file.bytes, source: plan)
    } catch {
      throw Failure(error)
    }
    guard outline.format == PlanDocument.format else {
      throw Failure(
        .badData,
        "\(plan): its format is \"\(outline.format)\", but export needs \"\(PlanDocument.format)\"; make a "
          + "plan with layerbudget allocate or prune")
    }
    return outline
  }

  private var resolvedSettings: ExportSettings {
    var settings = settings
    settings.asConfiguration = output.hasSuffix(".json")
    return settings
  }
}
