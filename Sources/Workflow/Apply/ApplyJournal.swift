internal import Curvature
internal import FoundationEssentials
internal import PlanFiles
internal import TensorFiles

/// What the ranks of this run and of earlier ones have written, one file per rank, a line per module.
///
/// Read whole by every rank, so that a run goes on whatever the number of ranks was. A line is a claim:
/// it counts only if the module's bytes, in the checkpoint and in the partial folder, have the hashes
/// it names.
struct ApplyJournal: ~Copyable {
  private let earlier: [NaturalName: ApplyRecord]
  private var file: AppendedFile

  init(_ folder: OutputFolder, rank: Int) throws(Failure) {
    let earlier = try Self.records(in: folder)
    let file = try Self.opened("\(folder.journal)/rank-\(rank).jsonl")
    self.earlier = earlier
    self.file = file
  }

  private static func records(in folder: OutputFolder) throws(Failure) -> [NaturalName: ApplyRecord]
  {
    var records: [NaturalName: ApplyRecord] = [:]
    do throws(TensorFileError) {
      for name in try FolderListing.names(in: folder.journal) where name.hasSuffix(".jsonl") {
        for record in Self.records(in: "\(folder.journal)/\(name)") {
          records[NaturalName(record.module)] = record
        }
      }
    } catch {
      throw Failure(error)
    }
    return records
  }

  private static func opened(_ path: String) throws(Failure) -> AppendedFile {
    do { return try AppendedFile(path: path) } catch { throw Failure(error) }
  }

  func record(of module: String) -> ApplyRecord? { earlier[NaturalName(module)] }

  mutating func append(_ record: ApplyRecord) throws(Failure) {
    do {
      try file.append(line: try DocumentCoding.encodeLine(record))
    } catch let error as TensorFileError {
      throw Failure(error)
    } catch {
      throw Failure(.internalFault, "\(error)")
    }
  }

  /// The lines that can be read; the last one of a killed rank may be torn.
  private static func records(in path: String) -> [ApplyRecord] {
    guard let data = try? Data(contentsOf: URL(filePath: path)) else { return [] }
    return Array(data).split(separator: UInt8(ascii: "\n")).compactMap { line in
      try? DocumentCoding.decode(ApplyRecord.self, from: Array(line), source: path)
    }
  }
}
