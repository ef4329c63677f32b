import Foundation
import Synchronization
import TestSupport
import Testing

/// Ranks that are stopped by a signal while others wait for them, under a real mpirun.
@Suite("Stalled and slow ranks", .serialized)
struct StalledRankTests {
  /// Statistics that keep three ranks busy for seconds.
  private func slowStatistics(in folder: String) throws -> String {
    let (order, path) = (384, folder + "/statistics.safetensors")
    var generator = SeededGenerator(seed: 14)
    let gradient = (0..<order * order).map { _ in Float(generator.normal()) }
    var factor = [Float](repeating: 0, count: order * order)
    for index in 0..<order { factor[index * (order + 1)] = Float(1 + index % 7) }
    var builder = StatisticsBuilder()
    let names = (0..<60).map { "model.layers.\($0).proj" }
    builder.addSingle(names.map { $0 + ".gradient" }, [order, order], gradient)
    for quantity in [".activation_covariance", ".gradient_covariance"] {
      builder.addSingle(names.map { $0 + quantity }, [order, order], factor)
    }
    try builder.write(to: path)
    return path
  }

  /// A run in the background whose ranks can be found.
  private final class Running: Sendable {
    let output: String
    private let outcome = Mutex<Result<Tool.Outcome, any Error>?>(nil)
    private let isDone = DispatchSemaphore(value: 0)

    init(_ statistics: String, _ more: [String], in folder: String) {
      output = folder + "/scores.json"
      let arguments =
        ["score", "--statistics", statistics, "--precision", "double", "-o", output] + more
      Thread.detachNewThread { [self] in
        let result = Result { try Tool.run(arguments, ranks: 3) }
        outcome.withLock { $0 = result }
        isDone.signal()
      }
    }

    /// The process of a rank once it has opened the statistics; nil if none came in a minute.
    func process(ofRank rank: Int, reading statistics: String) -> Int32? {
      for _ in 0..<1200 {
        let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for process in processes.compactMap({ Int32($0) }) {
          guard fields("cmdline", of: process).contains(output),
            fields("environ", of: process).contains("OMPI_COMM_WORLD_RANK=\(rank)"),
            openFiles(of: process).contains(statistics)
          else { continue }
          return process
        }
        usleep(50_000)
      }
      return nil
    }

    private func openFiles(of process: Int32) -> [String] {
      let folder = "/proc/\(process)/fd"
      return files(in: folder).compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
      }
    }

    private func fields(_ file: String, of process: Int32) -> [String] {
      let bytes = FileManager.default.contents(atPath: "/proc/\(process)/\(file)") ?? Data()
      return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    func wait() throws -> Tool.Outcome {
      isDone.wait()
      return try #require(outcome.withLock { $0 }).get()
    }

    var isRunning: Bool { outcome.withLock { $0 == nil } }
  }

  @Test(
    "A stopped rank ends the run with 75 and is named, whoever has to say so", arguments: [1, 0])
  func stopped(rank: Int) throws {
    try temporaryFolder { folder in
      let statistics = try slowStatistics(in: folder)
      let run = Running(statistics, ["--stall-timeout", "5"], in: folder)
      let process = try #require(run.process(ofRank: rank, reading: statistics))
      kill(process, SIGSTOP)
      let outcome = try run.wait()
      // mpirun has ended it; a stopped process must not outlive a failing test.
      kill(process, SIGKILL)
      #expect(outcome.status == 75, "\(outcome.errors)")
      #expect(outcome.errors.contains("no rank has given a sign of life"), "\(outcome.errors)")
      #expect(
        outcome.errors.contains(
          "rank \(rank) on \(ProcessInfo.processInfo.hostName), process \(process):"),
        "\(outcome.errors)")
      for other in 0..<3 where other != rank {
        #expect(!outcome.errors.contains("  rank \(other) on "), "\(outcome.errors)")
      }
      #expect(!files(in: folder).contains("scores.json"))
    }
  }

  @Test("Where both watching ranks are stopped, the third ends the run")
  func bothJudges() throws {
    try temporaryFolder { folder in
      let statistics = try slowStatistics(in: folder)
      let run = Running(statistics, ["--stall-timeout", "3"], in: folder)
      let processes = try (0..<2).map {
        try #require(run.process(ofRank: $0, reading: statistics))
      }
      for process in processes { kill(process, SIGSTOP) }
      let outcome = try run.wait()
      for process in processes { kill(process, SIGKILL) }
      #expect(outcome.status == 75, "\(outcome.errors)")
      #expect(outcome.errors.contains("rank 2 waits in collective call"), "\(outcome.errors)")
    }
  }

  @Test("A rank that is slow but reports is waited for, and the log shows how far it is")
  func slow() throws {
    try temporaryFolder { folder in
      let statistics = try slowStatistics(in: folder)
      let run = Running(statistics, ["--stall-timeout", "4"], in: folder)
      let process = try #require(run.process(ofRank: 1, reading: statistics))
      let start = ContinuousClock.now
      // Stopped for most of 16 s, but never for as long as the limit.
      while run.isRunning, ContinuousClock.now - start < .seconds(16) {
        kill(process, SIGSTOP)
        usleep(1_500_000)
        kill(process, SIGCONT)
        usleep(250_000)
      }
      let outcome = try run.wait()
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(files(in: folder).contains("scores.json"))
      if ContinuousClock.now - start > .seconds(12) {
        #expect(outcome.errors.contains("scoring: "), "\(outcome.errors)")
        #expect(outcome.errors.contains(" of 60 units ("), "\(outcome.errors)")
      }
      #expect(!outcome.errors.contains("\r"))
    }
  }

  @Test("Rank 0 that places alone for longer than the limit is waited for")
  func loneWork() throws {
    try temporaryFolder { folder in
      // Some ten seconds of a debug build: twice what a silent rank 0 would be given.
      let (units, experts, slots) = (8, 1200, 1600)
      var generator = SeededGenerator(seed: 15)
      let names = (0..<units).map { "layers.\($0)" }
      let planned = names.map { #"{"name": "\#($0)", "integer": \#(slots)}"# }
      let loads = names.map { name in
        let tokens = (0..<experts).map { _ in "\(Int(1000 * exp(generator.normal())) + 1)" }
        return #"{"name": "\#(name)", "loads": [\#(tokens.joined(separator: ", "))]}"#
      }
      let inputs = [
        "plan": """
        {"format": "layerbudget.plan/1", "program": "capacity", "parameters": {"unit": "slots"},
         "units": [\(planned.joined(separator: ", "))]}
        """,
        "nodes": #"{"nodes": [{"name": "a", "memory_bytes": 9000000, "devices": 64}]}"#,
        "loads": #"{"units": [\#(loads.joined(separator: ", "))]}"#,
      ]
      for (name, text) in inputs {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).json"))
      }
      let outcome = try Tool.run(
        [
          "place", folder + "/plan.json", "--nodes", folder + "/nodes.json", "--loads",
          folder + "/loads.json", "--bytes-per-slot", "500", "--stall-timeout", "2", "-o",
          folder + "/placement.json",
        ], ranks: 2)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(files(in: folder).contains("placement.json"))
    }
  }

  @Test("The limit is 0 or at least 2 s; below a minute it gets a note under mpirun")
  func limit() throws {
    try temporaryFolder { folder in
      let arguments = [
        "score", "--statistics", Tool.exampleStatistics, "-o", folder + "/scores.json",
        "--stall-timeout",
      ]
      for wrong in ["1", "-1", "nan"] {
        #expect(try Tool.run(arguments + [wrong]).status == 64)
      }
      let low = try Tool.run(arguments + ["30"], ranks: 2)
      #expect(
        low.status == 0 && low.errors.contains("note: --stall-timeout is 30"), "\(low.errors)")
      for good in ["0", "60"] {
        let outcome = try Tool.run(arguments + [good], ranks: 2)
        #expect(outcome.status == 0 && !outcome.errors.contains("stall"), "\(outcome.errors)")
      }
      #expect(!(try Tool.run(arguments + ["30"])).errors.contains("stall"))
    }
  }
}
