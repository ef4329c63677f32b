import Foundation
import TensorFiles
import TestSupport
import Testing

/// Many plans in one pass, by the command.
@Suite("Sweeps", .serialized)
struct SweepTests {
  private struct Sweep: Decodable {
    struct Point: Decodable {
      let budget: Double
      let price: Double
      let spent: Double
    }
    struct Unit: Decodable {
      let continuous: [Double]
      let integer: [Int]?
    }
    let points: [Point]
    let units: [Unit]
  }
  private struct Plan: Decodable {
    struct Unit: Decodable {
      let continuous: Double
      let integer: Int?
    }
    let budget: Double
    let price: Double
    let spent: Double
    let units: [Unit]
  }
  private struct Run: Decodable {
    struct Search: Decodable { let allreduces: Int }
    let search: Search
  }

  private func decoded<Document: Decodable>(
    _ type: Document.Type, _ path: String
  ) throws -> Document {
    try JSONDecoder().decode(type, from: contents(path))
  }

  private func writeScores(in folder: String) throws -> [String] {
    let rows = (0..<17).map { "layers.\($0),\(($0 * 7) % 11),\(1000 + 37 * $0)\n" }
    try DurableFile.write(
      Array(("name,gain,parameters\n" + rows.joined()).utf8), to: "\(folder)/scores.csv")
    return ["--scores", "\(folder)/scores.csv", "--quiet"]
  }

  @Test(
    "Every point has the bits of a plan made alone, on any number of ranks",
    arguments: [
      ("allocate", "--budget", ["20", "55.5", "300", "1000"], ["--integer", "--min", "1"]),
      ("prune", "--sparsity", ["0.1", "0.5", "0.85"], ["--max", "0.9"]),
    ])
  func sameBits(command: String, option: String, values: [String], options: [String]) throws {
    try temporaryFolder { folder in
      let scores = try writeScores(in: folder)
      let output = "\(folder)/sweep.json"
      let swept = try Tool.run(["sweep", option] + values + scores + options + ["-o", output])
      #expect(swept.status == 0, "\(swept.errors)")
      let bytes = try contents(output)
      let sweep = try decoded(Sweep.self, output)
      for ranks in [2, 3] {
        let again = try Tool.run(
          ["sweep", option] + values + scores + options + ["-o", output], ranks: ranks)
        #expect(again.status == 0, "\(again.errors)")
        #expect(try contents(output) == bytes, "\(ranks) ranks")
      }
      var allreduces: [Int] = []
      for (index, value) in values.enumerated() {
        let alone = try Tool.run(
          [command, option, value] + scores + options + ["-o", "\(folder)/plan.json"])
        #expect(alone.status == 0, "\(alone.errors)")
        let plan = try decoded(Plan.self, "\(folder)/plan.json")
        let point = sweep.points[index]
        #expect(
          point.budget == plan.budget && point.price == plan.price && point.spent == plan.spent)
        #expect(sweep.units.map { $0.continuous[index] } == plan.units.map(\.continuous))
        #expect(sweep.units.map { $0.integer?[index] } == plan.units.map(\.integer))
        allreduces.append(try decoded(Run.self, "\(folder)/plan.run.json").search.allreduces)
      }
      // All together take little more than the longest alone.
      let together = try decoded(Run.self, "\(folder)/sweep.run.json").search.allreduces
      #expect(together < allreduces.reduce(0, +) * 2 / 3, "\(together) for \(allreduces)")
    }
  }

  @Test("A table has a row per unit and point")
  func table() throws {
    try temporaryFolder { folder in
      let scores = try writeScores(in: folder)
      let output = "\(folder)/sweep.csv"
      let swept = try Tool.run(["sweep", "--budget", "40", "90"] + scores + ["-o", output])
      #expect(swept.status == 0, "\(swept.errors)")
      let lines = String(decoding: try contents(output), as: UTF8.self).split(separator: "\n")
      #expect(lines.count == 1 + 17 * 2 && lines[0] == "name,budget,price,continuous")
      #expect(lines[1].hasPrefix("layers.0,40.0,") && lines[2].hasPrefix("layers.0,90.0,"))
    }
  }

  @Test("One point that cannot be met fails the sweep, before anything is written")
  func infeasible() throws {
    try temporaryFolder { folder in
      let scores = try writeScores(in: folder)
      let swept = try Tool.run(
        ["sweep", "--sparsity", "0.3", "0.95", "--max", "0.9", "-o", "\(folder)/sweep.json"]
          + scores, ranks: 2)
      #expect(swept.status == 69 && swept.errors.contains("0.95"), "\(swept.errors)")
      #expect(!files(in: folder).contains("sweep.json"))
      let mixed = try Tool.run(
        ["sweep", "--budget", "40", "50 slots", "-o", "\(folder)/sweep.json"] + scores)
      #expect(mixed.status == 64 && mixed.errors.contains("all in one unit"))
    }
  }
}
