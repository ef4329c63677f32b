import Foundation
import TensorFiles
import TestSupport
import Testing

/// Plans for one set of scores judged on another, by the command.
@Suite("Transfer", .serialized)
struct TransferTests {
  private struct Document: Decodable {
    struct Unit: Decodable {
      let name: String
      let source: Double
      let target: Double
    }
    let format: String
    let delta: Double
    let regret: Double
    let gap: Double
    let certificate: Double
    let bound: Double
    let units: [Unit]
  }

  private func write(_ gains: [Double], to path: String) throws {
    let rows = gains.enumerated().map { "layers.\($0),\($1),\(100 + 10 * $0)\n" }
    try DurableFile.write(
      Array(("name,gain,parameters\n" + rows.joined()).utf8), to: path)
  }

  private func judged(
    _ options: [String], in folder: String, ranks: Int? = nil
  ) throws -> (Tool.Outcome, Document) {
    let outcome = try Tool.run(
      [
        "transfer", "--source", "\(folder)/s.csv", "--target", "\(folder)/t.csv", "-o",
        "\(folder)/transfer.json",
      ] + options, ranks: ranks)
    return (
      outcome, try JSONDecoder().decode(Document.self, from: contents("\(folder)/transfer.json"))
    )
  }

  @Test(
    "The bounds are in order, the bytes the same on all ranks, and the exit code says whether to replan",
    arguments: [
      ["--budget", "40"], ["--budget", "40", "--utility", "power:0.5", "--max", "12"],
      ["--sparsity", "0.5", "--max", "0.9"],
    ])
  func verdict(options: [String]) throws {
    try temporaryFolder { folder in
      try write([1, 2, 3, 4, 0, 5, 6, 2, 3, 4, 5], to: "\(folder)/s.csv")
      try write([2, 2, 3, 1, 1, 5, 0, 2, 4, 4, 5], to: "\(folder)/t.csv")
      let (alone, document) = try judged(options, in: folder)
      #expect(alone.status == 0, "\(alone.errors)")
      #expect(document.format == "layerbudget.transfer/1")
      #expect(document.units.map(\.name) == (0..<11).map { "layers.\($0)" })
      let chain = [0, document.regret, document.gap, document.certificate, document.bound]
      // For ρ² gap and certificate are one number, but for rounding.
      #expect(zip(chain, chain.dropFirst()).allSatisfy { $0 <= $1 * (1 + 1e-12) }, "\(chain)")
      #expect(document.regret > 0 && document.delta > 0)
      let bytes = try contents("\(folder)/transfer.json")
      let (three, _) = try judged(options, in: folder, ranks: 3)
      #expect(three.status == 0)
      #expect(try contents("\(folder)/transfer.json") == bytes)

      let (loose, _) = try judged(options + ["--tolerance", "\(document.gap * 2)"], in: folder)
      #expect(loose.status == 0 && loose.output.contains("the plan holds"))
      let (tight, _) = try judged(
        options + ["--tolerance", "\(document.gap / 2)"], in: folder, ranks: 2)
      #expect(tight.status == 3 && tight.errors.contains("plan again"))
    }
  }

  @Test("Scores without names take those that are given")
  func names() throws {
    try temporaryFolder { folder in
      try DurableFile.write(Array("1 2 3 4\n".utf8), to: "\(folder)/s.txt")
      try DurableFile.write(Array("2 2 1 5\n".utf8), to: "\(folder)/t.txt")
      let names = ["a.0", "a.1", "b.0", "b.1"]
      try DurableFile.write(
        Array(names.map { "\($0)\n" }.joined().utf8), to: "\(folder)/names.txt")
      let files = ["--source", "\(folder)/s.txt", "--target", "\(folder)/t.txt"]
      let output = "\(folder)/transfer.json"
      let outcome = try Tool.run(
        ["transfer", "--budget", "20", "--score-names", "\(folder)/names.txt", "-o", output]
          + files, ranks: 2)
      #expect(outcome.status == 0, "\(outcome.errors)")
      let document = try JSONDecoder().decode(Document.self, from: contents(output))
      #expect(document.units.map(\.name) == names)
    }
  }

  @Test(
    "Programs without strong convexity are explained",
    arguments: [
      ["--budget", "9k parameters", "--unit", "rank", "--utility", "spectrum"],
      ["--sparsity", "0.5", "--psi", "measured"],
    ])
  func noModulus(options: [String]) throws {
    let outcome = try Tool.run(["transfer", "--source", "s", "--target", "t", "-o", "o"] + options)
    #expect(outcome.status == 64 && outcome.errors.contains("strong"), "\(outcome.errors)")
  }

  @Test("A plan has no regret on its own scores")
  func same() throws {
    try temporaryFolder { folder in
      try write([1, 2, 3, 0], to: "\(folder)/s.csv")
      try write([1, 2, 3, 0], to: "\(folder)/t.csv")
      let (outcome, document) = try judged(["--budget", "10", "--tolerance", "1e-12"], in: folder)
      #expect(outcome.status == 0 && document.regret == 0 && document.bound == 0)
    }
  }

  @Test("Scores of other units are refused by name")
  func otherUnits() throws {
    try temporaryFolder { folder in
      try write([1, 2, 3], to: "\(folder)/s.csv")
      try write([1, 2, 3, 4], to: "\(folder)/t.csv")
      let outcome = try Tool.run([
        "transfer", "--source", "\(folder)/s.csv", "--target", "\(folder)/t.csv", "--budget", "9",
        "-o", "\(folder)/transfer.json",
      ])
      #expect(outcome.status == 65 && outcome.errors.contains("3 and 4 of them"))
    }
  }
}
