internal import Collectives
internal import Curvature
internal import FoundationEssentials
internal import PlanFiles
internal import TensorFiles

/// What earlier runs have done, and where this rank notes what it does: a file per run and rank, a line
/// per unit.
///
/// A line is a claim: whoever uses a record compares the contents that it names. Lines are written and
/// synced together about once a second, so a kill, of the machine too, loses a second of work. Nothing
/// is made on the disk before the first second is over. Without a request nothing is read or written.
struct Journal<Record: JournalRecord>: ~Copyable {
  /// Of earlier runs, the newest of each name.
  private let earlier: [NaturalName: Record]
  let notes: [String]
  private let request: JournalRequest?
  private let basis: @Sendable () -> JournalBasis
  private let path: String
  private let ranks: Int
  private var file: AppendedFile?
  private var waiting: [UInt8] = []
  private var lastSync = ContinuousClock.now
  private var lastLook = ContinuousClock.now

  /// Rank 0 reads what earlier runs left and hands it to all: 1000 ranks that open 1000 files each
  /// would be a load on a shared disk. Collective.
  init(
    _ request: JournalRequest?, basis: @escaping @Sendable () -> JournalBasis,
    over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    self.request = request
    self.basis = basis
    ranks = world.size
    guard let request else {
      (earlier, notes, path) = ([:], [], "")
      return
    }
    let found = try agreed(over: world) { () throws(Failure) -> EarlierJournals in
      guard world.rank == 0 else { return EarlierJournals() }
      DurableFile.remove(request.stopMark)
      guard request.resumes else {
        try request.remove()
        return EarlierJournals()
      }
      return try EarlierJournals(of: Record.self, in: request.folder, basis: basis())
    }
    let list = found.records.joined(separator: [UInt8(ascii: ",")])
    let own = Array("{\"run\":\(found.nextRun),\"records\":[".utf8) + list + Array("]}".utf8)
    let bytes = world.broadcast(world.rank == 0 ? own : [], from: 0)
    let shared: Shared
    do {
      shared = try DocumentCoding.decode(Shared.self, from: bytes, source: request.folder)
    } catch {
      throw Failure(.internalFault, "\(error)")
    }
    // Older runs come first.
    earlier = Dictionary(
      shared.records.map { (NaturalName($0.journalName), $0) }, uniquingKeysWith: { $1 })
    notes = found.notes
    path = "\(request.folder)/run-\(shared.run).rank-\(world.rank).jsonl"
    if world.rank == 0 { notes.forEach(request.note) }
  }

  private struct Shared: Decodable {
    let run: Int
    let records: [Record]
  }

  func record(of name: String) -> Record? { earlier[NaturalName(name)] }

  /// Notes a finished unit; it counts once a second has passed or the journal is closed.
  mutating func append(_ record: Record) throws(Failure) {
    guard request != nil else { return }
    do {
      waiting += JournalLine.sealed(try DocumentCoding.encodeLine(record))
    } catch {
      throw Failure(.internalFault, "\(error)")
    }
    try syncIfDue()
  }

  /// Writes what waits where there is a journal already or the interval is over; where the run stops,
  /// in any case.
  mutating func close(stopping: Bool) throws(Failure) {
    if stopping || file != nil { try sync() } else { try syncIfDue() }
  }

  private mutating func syncIfDue() throws(Failure) {
    guard let request, ContinuousClock.now - lastSync >= request.interval else { return }
    try sync()
  }

  /// Writes and syncs what waits. After a failure nothing of it is tried again, as a part of it may be
  /// in the file.
  private mutating func sync() throws(Failure) {
    guard let request, !waiting.isEmpty else { return }
    var lines = waiting
    waiting = []
    do {
      if file == nil {
        try DurableFolder.create(request.folder)
        file = try AppendedFile(creating: path)
        try DurableFolder.sync(request.folder)
        try DurableFolder.sync(DurableFolder.parent(of: request.folder))
        lines = JournalLine.sealed(try DocumentCoding.encodeLine(basis())) + lines
      }
      try file?.append(lines)
    } catch let error as TensorFileError {
      throw Failure(error)
    } catch {
      throw Failure(.internalFault, "\(error)")
    }
    lastSync = .now
  }

  /// Whether this rank is to stop before its next unit, because it got a signal or another rank
  /// stopped. Another rank's mark is looked for once a second.
  mutating func shouldStop() -> Bool {
    guard let request else { return false }
    if StopSignal.isRequested {
      stopOthers()
      return true
    }
    guard ranks > 1, ContinuousClock.now - lastLook >= .seconds(1) else { return false }
    lastLook = .now
    return MarkerFile.exists(request.stopMark)
  }

  /// Makes the other ranks stop after their current unit: this one has stopped or failed. That the mark
  /// cannot be made only costs time, as the others then finish their work.
  func stopOthers() {
    guard let request, ranks > 1 else { return }
    try? DurableFolder.create(request.folder)
    try? MarkerFile.create(request.stopMark)
  }
}

extension JournalRequest {
  /// Removes the journal and all that is in it; that there is none is no error.
  func remove() throws(Failure) {
    guard MarkerFile.exists(folder) else { return }
    do { try FileManager.default.removeItem(atPath: folder) } catch {
      throw Failure(
        .cannotWrite,
        "\(folder): cannot be removed (\(error)); check its permissions and remove it by hand")
    }
  }

  /// After a result has its name: no reason to fail if this does not work.
  func removeAfterSuccess() {
    do { try remove() } catch { note("the result is complete, but \(error)") }
  }

  /// Removes the mark of a stop that all ranks have agreed on, and the folder if nothing was noted.
  func removeStopMark() {
    DurableFile.remove(stopMark)
    DurableFolder.removeIfEmpty(folder)
  }
}
