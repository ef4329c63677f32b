internal import Collectives
internal import Foundation
internal import Workflow

enum JournalReaders {
  private static func folder(_ name: String) -> String {
    let folder = "\(ScratchFolder.path)/\(name).journal"
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch { fatalError("\(error)") }
    return folder
  }
  private static let asWritten = folder("written")
  private static let asSealed = folder("sealed")

  /// The bytes as a journal file beside a good one; and each of their lines under a checksum that
  /// holds, which libFuzzer does not find, so that what reads the records is reached.
  static func readJournal(_ bytes: [UInt8]) {
    let (asWritten, asSealed) = (asWritten, asSealed)
    _ = ScratchFolder.write(bytes, as: "written.journal/run-1.rank-0.jsonl")
    _ = ScratchFolder.write(good, as: "written.journal/run-2.rank-0.jsonl")
    read(asWritten)
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let sealed = lines.flatMap { JournalReading.sealed(Array($0)) }
    _ = ScratchFolder.write(sealed, as: "sealed.journal/run-1.rank-0.jsonl")
    read(asSealed)
  }

  private static func read(_ folder: String) {
    refusing { () throws(Failure) in
      try JournalReading.readGains(in: folder, over: SoloCollective())
    }
    refusing { () throws(Failure) in
      try JournalReading.readModules(in: folder, over: SoloCollective())
    }
  }

  private static func refusing(_ body: () throws(Failure) -> Void) {
    do { try body() } catch { precondition(error.code == .badData, "\(error)") }
  }

  private static let good: [UInt8] = {
    let basis =
      #"{"build":"0","format":"layerbudget.journal/1","options":{},"records":"modules","version":"0"}"#
    let record =
      #"{"input":"00","module":"a","output":"01","pruned":1,"statistics":"02","zeros_before":0}"#
    return [basis, record].flatMap { JournalReading.sealed(Array($0.utf8)) }
  }()
}
