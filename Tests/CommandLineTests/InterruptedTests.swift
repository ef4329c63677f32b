import Foundation
import TensorFiles
import TestSupport
import Testing

/// Runs that are really ended by signals while they score, and are repeated.
@Suite("Stopped and repeated", .serialized)
struct InterruptedTests {
  /// In double precision some nine seconds of one core. Journals begin after one, and a second run must get that
  /// far with what the first has left.
  private static let modules = 100
  private static let order = 448

  private func writeStatistics(to path: String) throws {
    func bytes(_ value: (Int, Int) -> Float) -> [UInt8] {
      TensorFileWriter.bytes(
        of: (0..<Self.order * Self.order).map { value($0 / Self.order, $0 % Self.order) })
    }
    // Positive definite: correlations that fall with the distance.
    let powers = (0..<Self.order).map { Float(pow(0.5, Double($0))) }
    let covariance = bytes { powers[abs($0 - $1)] }
    let gradient = bytes { Float(($0 * 31 + $1 * 17) % 23) - 11 }
    let shape = [Self.order, Self.order]
    try TensorFileWriter.write(
      (0..<Self.modules).flatMap { number in
        ["gradient", "activation_covariance", "gradient_covariance"].map {
          (
            "model.layers.\(number).\($0)", .float32, shape,
            $0 == "gradient" ? gradient : covariance
          )
        }
      }, metadata: ["format": "layerbudget.statistics/1"], to: path)
  }

  private func score(_ statistics: String, _ output: String) -> [String] {
    [
      "score", "--statistics", statistics, "--curvature", "kronecker", "--precision", "double",
      "--quiet", "-o", output,
    ]
  }

  /// Units in the whole lines of a journal.
  private func units(of output: String) -> Int {
    files(in: "\(output).journal").filter { $0.hasSuffix(".jsonl") }.reduce(0) { sum, name in
      let bytes = (try? contents("\(output).journal/\(name)")) ?? Data()
      return sum + max(bytes.count { $0 == UInt8(ascii: "\n") } - 1, 0)
    }
  }

  private struct Run: Decodable { let resumed: Int? }

  private func resumed(_ output: String) throws -> Int {
    let path = output.replacing(".json", with: ".run.json")
    return try JSONDecoder().decode(Run.self, from: contents(path)).resumed ?? 0
  }

  /// Starts scoring, waits for units that this run adds to the journal, signals, and waits for the
  /// end. Units of an earlier run would let the signal come before anything handles it.
  private func interrupt(
    _ arguments: [String], _ output: String, ranks: Int?, units further: Int,
    _ signal: (Tool.Running) throws -> Void
  ) throws -> Tool.Outcome {
    let wanted = units(of: output) + further
    let running = try Tool.start(arguments, ranks: ranks)
    let deadline = Date(timeIntervalSinceNow: 100)
    while units(of: output) < wanted {
      guard running.isRunning, Date() < deadline else {
        running.end()
        let outcome = running.finish()
        Issue.record("no journal to interrupt: \(outcome.status) \(outcome.errors)")
        return outcome
      }
      Thread.sleep(forTimeInterval: 0.005)
    }
    try signal(running)
    return running.finish()
  }

  @Test(
    "A rank killed with -9, and SIGUSR1 to mpirun: any number of ranks goes on to the same bytes")
  func ranks() throws {
    try temporaryFolder { folder in
      let statistics = folder + "/s.safetensors"
      try writeStatistics(to: statistics)
      let undisturbed = try Tool.run(score(statistics, folder + "/undisturbed.json"))
      #expect(undisturbed.status == 0, "\(undisturbed.errors)")
      let wanted = try contents(folder + "/undisturbed.json")
      #expect(try resumed(folder + "/undisturbed.json") == 0)

      // One journal is left and finished by three different numbers of ranks.
      let killed = folder + "/killed.json"
      let outcome = try interrupt(score(statistics, killed), killed, ranks: 3, units: 6) {
        let ranks = $0.ranks
        #expect(ranks.count == 3)
        kill(try #require(ranks.dropFirst().first), SIGKILL)
      }
      #expect(outcome.status == 137, "\(outcome.errors)")
      #expect(!files(in: folder).contains("killed.json"))
      let noted = units(of: killed)
      #expect(noted >= 6)
      for ranks in [1, 2, 4] {
        let again = "\(folder)/\(ranks).json"
        try FileManager.default.copyItem(atPath: "\(killed).journal", toPath: "\(again).journal")
        let finished = try Tool.run(score(statistics, again), ranks: ranks)
        #expect(finished.status == 0, "\(finished.errors)")
        #expect(try contents(again) == wanted)
        #expect(try resumed(again) == noted)
        #expect(!files(in: folder).contains("\(ranks).json.journal"))
      }

      // Slurm's warning, twice: every rank ends its unit, and nothing is computed twice.
      let warned = folder + "/warned.json"
      for _ in 1...2 {
        let outcome = try interrupt(score(statistics, warned), warned, ranks: 3, units: 4) {
          kill($0.pid, SIGUSR1)
        }
        #expect(outcome.status == 75, "\(outcome.errors)")
        #expect(
          outcome.errors.contains("after \(units(of: warned)) of \(Self.modules) units"),
          "\(outcome.errors)")
        #expect(!files(in: folder).contains("warned.json"))
      }
      let finished = try Tool.run(score(statistics, warned), ranks: 2)
      #expect(finished.status == 0, "\(finished.errors)")
      #expect(try contents(warned) == wanted)

      // One rank alone gets a signal: the others stop too, long before their work is done.
      let one = folder + "/one.json"
      let alone = try interrupt(score(statistics, one), one, ranks: 2, units: 2) {
        kill(try #require($0.ranks.last), SIGTERM)
      }
      #expect(alone.status == 75, "\(alone.errors)")
      #expect(units(of: one) < Self.modules && !files(in: "\(one).journal").contains("stop"))
    }
  }

  @Test("Alone: SIGTERM and SIGINT end with 75, and the same command goes on")
  func alone() throws {
    try temporaryFolder { folder in
      let statistics = folder + "/s.safetensors"
      try writeStatistics(to: statistics)
      let undisturbed = folder + "/undisturbed.json"
      #expect(try Tool.run(score(statistics, undisturbed)).status == 0)
      let output = folder + "/out.json"
      for number in [SIGTERM, SIGINT] {
        let outcome = try interrupt(score(statistics, output), output, ranks: nil, units: 4) {
          kill($0.pid, number)
        }
        #expect(outcome.status == 75, "\(outcome.errors)")
        #expect(outcome.errors.contains("the same command goes on from there"), "\(outcome.errors)")
      }
      #expect(!files(in: folder).contains("out.json"))
      let finished = try Tool.run(score(statistics, output))
      #expect(finished.status == 0, "\(finished.errors)")
      #expect(try contents(output) == contents(undisturbed))
      #expect(try resumed(output) >= 8)
      #expect(
        files(in: folder) == [
          "out.json", "out.run.json", "s.safetensors", "undisturbed.json", "undisturbed.run.json",
        ])
    }
  }
}
