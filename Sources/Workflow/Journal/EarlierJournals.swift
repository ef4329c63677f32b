internal import FoundationEssentials
internal import PlanFiles
internal import TensorFiles

/// A unit of work in a journal.
protocol JournalRecord: Codable, Sendable {
  /// By which a later run asks for it.
  var journalName: String { get }
}

/// What earlier runs noted, as rank 0 reads it for all.
struct EarlierJournals {
  /// 1 more than the greatest number of a run in the folder.
  private(set) var nextRun = 1
  /// Encoded records under the same basis, older runs first.
  private(set) var records: [[UInt8]] = []
  private(set) var notes: [String] = []

  private struct File {
    let run: Int
    let rank: Int
    let path: String
  }

  init() {}

  /// Reads every file of the folder and checks every line.
  ///
  /// The last line of a file may be torn, by a kill or a full disk: it is left out, with a note. Any other
  /// line that is not as it was written is an error, as is a line that cannot be read as a record.
  /// - Complexity: O(bytes of the folder), at one rank.
  init<Record: JournalRecord>(
    of type: Record.Type, in folder: String, basis: @autoclosure () -> JournalBasis
  ) throws(Failure) {
    let files = try Self.files(in: folder)
    guard let last = files.last else { return }
    nextRun = last.run + 1
    let basis = basis()
    var torn: [String] = []
    var differences: [(text: String, files: Int)] = []
    for file in files {
      let (lines, isTorn) = try Self.lines(of: file.path)
      if isTorn { torn.append(file.path) }
      guard let first = lines.first else { continue }
      let earlier = try Self.decoded(JournalBasis.self, first, file.path, line: 1)
      if let difference = basis.difference(from: earlier) {
        if let known = differences.firstIndex(where: { $0.text == difference }) {
          differences[known].files += 1
        } else {
          differences.append((difference, 1))
        }
        continue
      }
      for (index, line) in lines.enumerated().dropFirst() {
        // As they are handed on, in a list of an object: what can be read alone can be read there. An
        // empty line, or one that ends the list, is not one record.
        let listed = Array("[[".utf8) + line + Array("]]".utf8)
        let read = try Self.decoded([[Record]].self, listed, file.path, line: index + 1)
        guard read.count == 1, read[0].count == 1 else {
          throw Self.damaged(file.path, line: index + 1, "holds no record")
        }
        records.append(line)
      }
    }
    notes += differences.map {
      "\(folder): what \($0.files) of \(files.count) files hold is not used and done again: \($0.text)"
    }
    if let example = torn.first {
      notes.append(
        "\(example)\(torn.count > 1 ? " and \(torn.count - 1) more" : ""): the last line is torn, as by "
          + "a kill; what it held is done again")
    }
  }

  /// Of the oldest file that has a whole line.
  static func firstBasis(in folder: String) throws(Failure) -> JournalBasis? {
    for file in try files(in: folder) {
      guard let first = try lines(of: file.path).lines.first else { continue }
      return try decoded(JournalBasis.self, first, file.path, line: 1)
    }
    return nil
  }

  /// Files named `run-N.rank-R.jsonl`, by run and rank; others are not looked at.
  private static func files(in folder: String) throws(Failure) -> [File] {
    guard MarkerFile.exists(folder) else { return [] }
    let names: [String]
    do { names = try FolderListing.names(in: folder) } catch { throw Failure(error) }
    return names.compactMap { name -> File? in
      guard let match = name.wholeMatch(of: #/run-(\d{1,9})\.rank-(\d{1,9})\.jsonl/#),
        let run = Int(match.1), let rank = Int(match.2)
      else { return nil }
      return File(run: run, rank: rank, path: "\(folder)/\(name)")
    }.sorted { ($0.run, $0.rank) < ($1.run, $1.rank) }
  }

  /// The records of a file's whole lines, and whether a part of a line follows.
  private static func lines(of path: String) throws(Failure) -> (lines: [[UInt8]], isTorn: Bool) {
    let file = try InputFile(path: path)
    var lines: [[UInt8]] = []
    var rest = file.bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      guard let record = JournalLine.opened(rest[..<end]) else {
        throw damaged(path, line: lines.count + 1, "is not as it was written")
      }
      lines.append(record)
      rest = rest[(end + 1)...]
    }
    return (lines, !rest.isEmpty)
  }

  private static func decoded<Value: Decodable>(
    _ type: Value.Type, _ record: [UInt8], _ path: String, line: Int
  ) throws(Failure) -> Value {
    do {
      return try DocumentCoding.decode(type, from: record, source: path)
    } catch {
      throw damaged(path, line: line, "holds no record (\(error))")
    }
  }

  private static func damaged(_ path: String, line: Int, _ problem: String) -> Failure {
    Failure(
      .badData,
      "\(path): line \(line) \(problem), so the disk may be bad; remove the file, or start from the "
        + "beginning with --no-resume")
  }
}
