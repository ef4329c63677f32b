import Allocation
import Collectives
import Curvature
import Foundation
import PlanFiles
import Synchronization
import TestSupport
import Testing

@testable import Workflow

/// Journals of scoring without real kills: runs that end after scoring leave theirs, and are then cut.
@Suite("Journal and resume")
struct JournalTests: JournaledScoring {
  @Test("Journals cut anywhere, of any number of ranks and runs, lead to the undisturbed bytes")
  func anyPrefix() throws {
    try temporaryFolder { folder in
      var request = try statistics(in: folder)
      let wanted = try score(request, folder + "/undisturbed.json")
      var resumed = Set<Int>()
      try forEachCase(seed: 7, cases: 40) { generator, number in
        let output = "\(folder)/\(number).json"
        let journal = journal(output)
        request.journal = journal
        for _ in 0..<generator.integer(in: 1...3) {
          try leaveJournal(request, ranks: generator.integer(in: 1...4))
          for (path, bytes) in try journals(journal) {
            // Half of the files are whole, some are gone.
            let kind = generator.integer(in: 0...7)
            if kind == 0 { try FileManager.default.removeItem(atPath: path) }
            guard (1...3).contains(kind) else { continue }
            let length = generator.integer(in: 0...bytes.count)
            try bytes.prefix(length).write(to: URL(fileURLWithPath: path))
          }
        }
        let ranks = generator.integer(in: 1...4)
        #expect(try score(request, output, ranks: ranks) == wanted)
        #expect(!FileManager.default.fileExists(atPath: journal.folder))
        resumed.insert(try run(output).resumed ?? 0)
      }
      #expect(resumed.count > 4, "the cases were too much alike: \(resumed)")
    }
  }

  @Test("A complete journal leaves nothing to compute, and the run file says so")
  func everythingResumed() throws {
    try temporaryFolder { folder in
      var request = try statistics(in: folder)
      let wanted = try score(request, folder + "/undisturbed.json")
      #expect(try run(folder + "/undisturbed.json").resumed == nil)
      let notes = JournalNotes()
      let output = folder + "/out.json"
      request.journal = journal(output, notes: notes)
      try leaveJournal(request, ranks: 3)
      #expect(try score(request, output, ranks: 2) == wanted)
      #expect(try run(output).resumed == 12)
      #expect(notes.all.contains { $0.hasPrefix("12 of 12 units are taken") }, "\(notes.all)")
      #expect(try run(output).notes == notes.all)
    }
  }

  @Test("Every byte of a whole line that is not as it was written is refused, naming file and line")
  func flippedByte() throws {
    try temporaryFolder { folder in
      var request = try statistics(in: folder)
      let wanted = try score(request, folder + "/undisturbed.json")
      let output = folder + "/out.json"
      request.journal = journal(output)
      try leaveJournal(request, ranks: 2)
      let files = try journals(try #require(request.journal))
      #expect(files.count == 2)
      let damaged = request
      try forEachCase(seed: 8, cases: 60) { generator, _ in
        let (path, bytes) = files[generator.integer(in: 0...1)]
        // The last line feed is the exception: without it the line is torn.
        let position = generator.integer(in: 0...bytes.count - 2)
        var flipped = bytes
        flipped[position] ^= UInt8(1 << generator.integer(in: 0...7))
        try flipped.write(to: URL(fileURLWithPath: path))
        defer { try? bytes.write(to: URL(fileURLWithPath: path)) }
        let line = bytes.prefix(position).count { $0 == UInt8(ascii: "\n") } + 1
        let failures = failures(damaged, output, ranks: 2)
        #expect(failures.allSatisfy { $0 == failures[0] && $0?.code == .badData })
        let message = failures[0]?.message ?? ""
        // A line feed that appears ends the line early; one that is gone joins it with the next.
        #expect(message.contains("\(path): line \(line) "), "\(message)")
        #expect(message.contains("--no-resume"))
      }
      // Refused, never used; and what to try works.
      var (path, bytes) = files[0]
      bytes[bytes.count / 2] ^= 1
      try bytes.write(to: URL(fileURLWithPath: path))
      request.journal?.resumes = false
      #expect(try score(request, output) == wanted)
      path = try #require(request.journal).folder
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test("Other options use nothing of a journal and say both values")
  func otherOptions() throws {
    try temporaryFolder { folder in
      let request = try statistics(in: folder)
      let changes: [(String, (inout StatisticsRequest) -> Void)] = [
        ("damping was relative:0.1 and is relative:0.5", { $0.options.damping = .relative(0.5) }),
        ("curvature was kfac and is diagonal", { $0.options.kind = .diagonal }),
        ("precision was single and is double", { $0.options.precision = .double }),
        ("spectrum was false and is true", { $0.options.wantsSpectrum = true }),
      ]
      for (number, (text, change)) in changes.enumerated() {
        var changed = request
        change(&changed)
        let wanted = try score(changed, "\(folder)/\(number)-fresh.json")
        let (output, notes) = ("\(folder)/\(number).json", JournalNotes())
        var first = request
        first.journal = journal(output)
        changed.journal = journal(output, notes: notes)
        try leaveJournal(first, ranks: 2)
        #expect(try score(changed, output, ranks: 2) == wanted)
        #expect(try run(output).resumed == 0)
        #expect(notes.all.count == 1 && notes.all[0].contains(text), "\(notes.all)")
        #expect(notes.all[0].contains("2 of 2 files"), "\(notes.all)")
      }
      let basis = request.journalBasis(try Statistics(path: request.path))
      #expect(basis.options["blas"]?.contains("OpenBLAS") == true)
      #expect(basis.options["threads"] == "\(ComputeThreads.current)")
      #expect(basis.build.count == 16)
    }
  }

  @Test("A unit whose values or counts changed is computed again, the others are not")
  func otherStatistics() throws {
    try temporaryFolder { folder in
      var generator = SeededGenerator(seed: 5)
      let other = ModuleValues(outputs: 2, inputs: 2, &generator)
      // The same headers in all three.
      func write(gradient: [Double], samples: Int64) throws -> StatisticsRequest {
        try statistics(in: folder) {
          $0.add("net.9.x.gradient", [2, 2], gradient)
          $0.add("net.9.x.activation_covariance", [2, 2], other.activation)
          $0.add("net.9.x.gradient_covariance", [2, 2], other.output)
          $0.addCount("net.9.x.num_samples", samples)
        }
      }
      for (gradient, samples) in [([1, 0, 0, 1.5], Int64(8)), ([1, 0, 0, 1], 9)] {
        let (output, notes) = ("\(folder)/\(samples).json", JournalNotes())
        var request = try write(gradient: [1, 0, 0, 1], samples: 8)
        request.journal = journal(output)
        try leaveJournal(request, ranks: 2)
        request = try write(gradient: gradient, samples: samples)
        let wanted = try score(request, "\(folder)/\(samples)-fresh.json")
        request.journal = journal(output, notes: notes)
        #expect(try score(request, output, ranks: 3) == wanted)
        #expect(try run(output).resumed == 12)
        #expect(notes.all.contains { $0.hasPrefix("1 unit of an earlier run is") }, "\(notes.all)")
      }
    }
  }

  @Test("Plans made with journals have the bytes of plans made without, spectra included")
  func plans() throws {
    try temporaryFolder { folder in
      var statistics = try statistics(in: folder)
      statistics.options.precision = .double
      func plans(_ journaled: Bool) throws -> [Data] {
        var measure = CapacityMeasure(budget: .amount(60, .parameters))
        measure.kind = .rank
        let output = "\(folder)/\(journaled).json"
        func source(_ spectrum: Bool) throws -> GainSource {
          var request = statistics
          request.options.wantsSpectrum = spectrum
          guard journaled else { return .statistics(request) }
          request.journal = journal(output)
          try leaveJournal(request, ranks: 2)
          // What one of the two had is lost.
          try FileManager.default.removeItem(
            atPath: try #require(request.journal).folder + "/run-1.rank-1.jsonl")
          return .statistics(request)
        }
        var allocate = AllocateRequest(source: try source(true), measure: measure, output: output)
        allocate.utility = .spectrum
        let capacity = allocate
        _ = try ThreadedCollective.run(ranks: 3) { world throws(Failure) in
          _ = try capacity.run(over: world)
        }
        let first = try Data(contentsOf: URL(fileURLWithPath: output))
        #expect(!names(in: folder).contains { $0.hasSuffix(".journal") })
        let prune = PruneRequest(
          source: try source(false), program: PruningProgram(sparsity: 0.4), output: output)
        _ = try ThreadedCollective.run(ranks: 3) { world throws(Failure) in
          _ = try prune.run(over: world)
        }
        if journaled { #expect((try run(output).resumed ?? 0) > 0) }
        #expect(!names(in: folder).contains { $0.hasSuffix(".journal") })
        return [first, try Data(contentsOf: URL(fileURLWithPath: output))]
      }
      #expect(try plans(true) == plans(false))
    }
  }
}
