package import Collectives
internal import PlanFiles

/// The way of a run into an earlier one's journal, for those who feed it with hostile bytes.
package enum JournalReading {
  /// Reads the folder as `score` does when it goes on, under the basis that the folder names itself:
  /// under a run's own, records would be passed over as another run's. Collective.
  /// - Throws: `Failure` with `badData` where a line is not as it was written or holds no record.
  package static func readGains(
    in folder: String, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    try read(GainRecord.self, in: folder, over: world)
  }

  /// The same as `apply` does it.
  package static func readModules(
    in folder: String, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    try read(ApplyRecord.self, in: folder, over: world)
  }

  private static func read<Record: JournalRecord>(
    _ type: Record.Type, in folder: String, over world: borrowing some Collective & ~Copyable
  ) throws(Failure) {
    let own = JournalBasis(records: "none", options: [:])
    let basis = try EarlierJournals.firstBasis(in: folder) ?? own
    _ = try Journal<Record>(JournalRequest(folder: folder), basis: { basis }, over: world)
  }

  /// A line of a journal with its checksum and line feed. - Precondition: `record` holds no line feed.
  package static func sealed(_ record: [UInt8]) -> [UInt8] { JournalLine.sealed(record) }
}
