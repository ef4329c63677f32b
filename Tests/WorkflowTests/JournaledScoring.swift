import Allocation
import Collectives
import Curvature
import Foundation
import PlanFiles
import Synchronization
import TestSupport
import Testing

@testable import Workflow

/// Suites that score a small set of statistics with a journal beside the output.
protocol JournaledScoring {}

extension JournaledScoring {
  /// Twelve modules in five blocks, as in the law tests; `change` comes last.
  func statistics(
    in folder: String, _ change: (inout StatisticsBuilder) -> Void = { _ in }
  ) throws -> StatisticsRequest {
    var generator = SeededGenerator(seed: 101)
    var builder = StatisticsBuilder()
    for layer in 0..<5 {
      for (name, m, n) in [("a", 3, 4), ("b", 5, 2)] + (layer < 2 ? [("c", 2, 6)] : []) {
        builder.addModule("net.\(layer).\(name)", outputs: m, inputs: n, &generator)
        builder.addCount("net.\(layer).\(name).num_samples", 64)
      }
    }
    change(&builder)
    let path = folder + "/statistics.safetensors"
    try builder.write(to: path)
    var request = StatisticsRequest(path: path)
    request.selection.grouping = .module
    return request
  }

  /// Every line synced at once, so that the smallest run leaves a journal.
  func journal(_ output: String, notes: JournalNotes = JournalNotes()) -> JournalRequest {
    var journal = JournalRequest(beside: output)
    journal.interval = .zero
    journal.note = { notes.add($0) }
    return journal
  }

  /// Scores up to the journal's last line, and no further: what a kill just before the end leaves.
  func leaveJournal(_ request: StatisticsRequest, ranks: Int) throws {
    _ = try ThreadedCollective.run(ranks: ranks) { world throws(Failure) in
      _ = try request.computeGains(over: world)
    }
  }

  func score(_ request: StatisticsRequest, _ output: String, ranks: Int = 1) throws -> Data {
    let whole = ScoreRequest(statistics: request, output: output)
    _ = try ThreadedCollective.run(ranks: ranks) { world throws(Failure) in
      _ = try whole.run(over: world)
    }
    return try Data(contentsOf: URL(fileURLWithPath: output))
  }

  func failures(_ request: StatisticsRequest, _ output: String, ranks: Int) -> [Failure?] {
    let whole = ScoreRequest(statistics: request, output: output)
    return ThreadedCollective.run(ranks: ranks) { world -> Failure? in
      do throws(Failure) {
        _ = try whole.run(over: world)
        return nil
      } catch {
        return error
      }
    }
  }

  func run(_ output: String) throws -> RunDocument {
    try JSONDecoder().decode(
      RunDocument.self,
      from: Data(contentsOf: URL(fileURLWithPath: output.replacing(".json", with: ".run.json"))))
  }

  func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// Path and contents of every journal file.
  func journals(_ request: JournalRequest) throws -> [(path: String, bytes: Data)] {
    try names(in: request.folder).map {
      let path = "\(request.folder)/\($0)"
      return (path, try Data(contentsOf: URL(fileURLWithPath: path)))
    }
  }
}

/// What a journal tells a reader.
final class JournalNotes: Sendable {
  private let texts = Mutex<[String]>([])
  func add(_ text: String) { texts.withLock { $0.append(text) } }
  var all: [String] { texts.withLock { $0 } }
}
