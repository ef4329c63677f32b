import Allocation
import Collectives
import Curvature
import Foundation
import PlanFiles
import Synchronization
import TestSupport
import Testing

@testable import Workflow

@Suite("Journals that are short, cannot be written or are stopped")
struct JournalFailureTests: JournaledScoring {
  @Test("A run shorter than the interval makes no journal, and a failed one keeps what was done")
  func shortAndFailed() throws {
    try temporaryFolder { folder in
      var request = try statistics(in: folder)
      var unhurried = JournalRequest(beside: folder + "/out.json")
      #expect(unhurried.interval == .seconds(1))
      // Under a sanitizer the smallest run takes longer than a second.
      unhurried.interval = .seconds(1000)
      request.journal = unhurried
      try leaveJournal(request, ranks: 3)
      #expect(names(in: folder) == ["statistics.safetensors"])

      var bad = try statistics(in: folder) {
        $0.add("net.5.bad.gradient", [1, 2], [1, .nan])
        $0.add("net.5.bad.activation_covariance", [2, 2], [1, 0, 0, 1])
        $0.add("net.5.bad.gradient_covariance", [1, 1], [1])
      }
      bad.journal = unhurried
      #expect(
        failures(bad, folder + "/out.json", ranks: 3).allSatisfy {
          $0?.code == .badData
        })
      #expect(names(in: folder) == ["statistics.safetensors"])

      bad.journal = journal(folder + "/out.json")
      #expect(
        failures(bad, folder + "/out.json", ranks: 3).allSatisfy {
          $0?.code == .badData
        })
      #expect(names(in: folder) == ["out.json.journal", "statistics.safetensors"])
      #expect(!names(in: folder + "/out.json.journal").contains("stop"))
      // A mended file has the same headers.
      var mended = try statistics(in: folder) {
        $0.add("net.5.bad.gradient", [1, 2], [1, 2])
        $0.add("net.5.bad.activation_covariance", [2, 2], [1, 0, 0, 1])
        $0.add("net.5.bad.gradient_covariance", [1, 1], [1])
      }
      let wanted = try score(mended, folder + "/fresh.json")
      mended.journal = journal(folder + "/out.json")
      #expect(try score(mended, folder + "/out.json", ranks: 2) == wanted)
      #expect((try run(folder + "/out.json").resumed ?? 0) > 0)
    }
  }

  @Test("A journal that cannot be written ends every rank with 73 and no output")
  func unwritable() throws {
    try temporaryFolder { folder in
      var request = try statistics(in: folder)
      request.journal = journal(folder + "/no/such/place.json")
      let output = folder + "/out.json"
      let ends = failures(request, output, ranks: 3)
      #expect(ends.allSatisfy { $0 == ends[0] && $0?.code == .cannotWrite }, "\(ends)")
      #expect(ends[0]?.message.contains("place.json.journal") == true, "\(ends)")
      #expect(names(in: folder) == ["statistics.safetensors"])
    }
  }

  @Test("A rank's mark stops the others between units with 75; the next run removes it")
  func stopMark() throws {
    try temporaryFolder { folder in
      let request = journal(folder + "/out.json")
      let basis = JournalBasis(records: "gains", options: [:])
      let stops = try ThreadedCollective.run(ranks: 2) { world throws(Failure) -> [Bool] in
        var journal = try Journal<GainRecord>(request, basis: { basis }, over: world)
        var stops = [journal.shouldStop()]
        if world.rank == 0 { journal.stopOthers() }
        world.barrier()
        // Looked for at most once a second.
        stops.append(journal.shouldStop())
        Thread.sleep(forTimeInterval: 1.1)
        stops.append(journal.shouldStop())
        world.barrier()
        journal = try Journal<GainRecord>(request, basis: { basis }, over: world)
        Thread.sleep(forTimeInterval: 1.1)
        return stops + [journal.shouldStop()]
      }
      #expect(stops == [[false, false, true, false], [false, false, true, false]])
    }
  }

  @Test("Two runs that write one journal are told of each other")
  func twoAtOnce() throws {
    try temporaryFolder { folder in
      let request = journal(folder + "/out.json")
      let basis = JournalBasis(records: "gains", options: [:])
      let record = GainRecord(
        unit: ScoresDocument.Unit(
          name: "a", modules: [], parameters: 1, gain: 1, gradientNormSquared: nil, quality: nil,
          modulesDetail: []), contents: "", decreases: nil)
      var first = try Journal<GainRecord>(request, basis: { basis }, over: SoloCollective())
      var second = try Journal<GainRecord>(request, basis: { basis }, over: SoloCollective())
      try first.append(record)
      do throws(Failure) {
        try second.append(record)
        Issue.record("the second run wrote into the first's file")
      } catch {
        #expect(error.code == .cannotWrite && error.message.contains("another run"), "\(error)")
      }
    }
  }
}
