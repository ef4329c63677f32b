internal import Collectives
internal import PlanFiles
internal import TensorFiles

/// Where a result goes. The run file lies beside it: `plan.json` and `plan.run.json`.
struct OutputDocuments {
  let path: String

  var runPath: String {
    path.hasSuffix(".json") ? "\(path.dropLast(5)).run.json" : "\(path).run.json"
  }

  /// Refuses an output that cannot be written, before any work is done. Collective.
  func requireWritable(over world: borrowing some Collective & ~Copyable) throws(Failure) {
    let path = path
    _ = try agreed(over: world) { () throws(Failure) in
      guard world.rank == 0 else { return }
      do throws(TensorFileError) { try DurableFile.requireWritable(path) } catch {
        throw Failure(error)
      }
    }
  }

  /// Rank 0 writes both files, each under a temporary name first; every rank learns whether it
  /// worked. Collective. `rows` are the document's units, at rank 0, by which the time is predicted.
  func write(
    _ document: (some Encodable)?, rows: Int, run: RunDocument?,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    let (path, runPath) = (path, runPath)
    world.reportLone(LoneWork.writing(rows))
    _ = try agreed(over: world) { () throws(Failure) in
      guard world.rank == 0 else { return }
      do throws(PlanFileError) {
        if let document {
          try Self.write(try DocumentCoding.encode(document), to: path)
        }
        if let run { try Self.write(try DocumentCoding.encode(run), to: runPath) }
      } catch {
        throw Failure(error)
      }
    }
  }

  /// A plan and its run file: made, then written. The output is checked first, so that no work is
  /// done for a plan that could not be written. Collective; both documents are rank 0's. The journal of
  /// the work is removed when the plan has its name.
  func write(
    over world: borrowing some Collective & ~Copyable, removing journal: JournalRequest?,
    made: () throws(Failure) -> (plan: PlanDocument, run: RunDocument)?
  ) throws(Failure) -> (plan: PlanDocument, run: RunDocument)? {
    try requireWritable(over: world)
    let made = try made()
    try write(made?.plan, rows: made?.plan.units.count ?? 0, run: made?.run, over: world)
    if made != nil { journal?.removeAfterSuccess() }
    return made
  }

  /// The same for a table. Collective.
  func write(
    text: String?, rows: Int, run: RunDocument?,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    let (path, runPath) = (path, runPath)
    world.reportLone(LoneWork.writing(rows))
    _ = try agreed(over: world) { () throws(Failure) in
      guard world.rank == 0 else { return }
      do throws(PlanFileError) {
        if let text { try Self.write(Array(text.utf8), to: path) }
        if let run { try Self.write(try DocumentCoding.encode(run), to: runPath) }
      } catch {
        throw Failure(error)
      }
    }
  }

  private static func write(_ bytes: [UInt8], to path: String) throws(PlanFileError) {
    do { try DurableFile.write(bytes, to: path) } catch { throw .unwritable("\(error)") }
  }
}
