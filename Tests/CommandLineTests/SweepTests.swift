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
      let lower: Double
      let weights: Int?
      let pattern: [String]?
    }
    let points: [Point]
    let units: [Unit]
  }
  private struct Plan: Decodable {
    struct Unit: Decodable {
      let continuous: Double
      let integer: Int?
      let lower: Double
      let weights: Int?
      let pattern: String?
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
    "Options of a journal are refused where none is kept", arguments: ["--resume", "--no-resume"])
  func noJournal(option: String) throws {
    let computed = ["--statistics", Tool.exampleStatistics, option]
    for command in [["sweep", "--budget", "96", "-o", "/nowhere/sweep.json"], ["doctor"]] {
      let refused = try Tool.run(command + computed)
      #expect(refused.status == 64 && refused.errors.contains(option), "\(refused.errors)")
    }
    // Commands that keep one fail later, at the folder that does not exist.
    for command in [["score"], ["allocate", "--budget", "96"], ["prune", "--sparsity", "0.5"]] {
      let accepted = try Tool.run(command + computed + ["-o", "/nowhere/out.json"])
      #expect(accepted.status == 73, "\(command): \(accepted.errors)")
    }
  }

  @Test(
    "Every point has the bits of a plan made alone, on any number of ranks",
    arguments: [
      ("allocate", "--budget", ["20", "55.5", "300", "1000"], ["--integer", "--min", "1"]),
      ("allocate", "--budget", ["30", "200"], ["--integer", "--program", "FOLDER/program.csv"]),
      ("allocate", "--budget", ["30", "200", "900"], ["--integer", "--utility", "power:0.4"]),
      ("prune", "--sparsity", ["0.1", "0.5", "0.85"], ["--max", "0.9"]),
    ])
  func sameBits(command: String, option: String, values: [String], options: [String]) throws {
    try temporaryFolder { folder in
      let options = options.map { $0.replacing("FOLDER", with: folder) }
      try DurableFile.write(
        Array("name,alpha,gamma\nlayers.3,0.1,\nlayers.4,,0.5\n".utf8), to: "\(folder)/program.csv")
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

  @Test(
    "Spectra, measured curves and patterns are swept to the bits of a plan made alone",
    arguments: [
      (
        "allocate", "--budget", ["9k parameters", "40k parameters", "80k parameters"],
        ["--unit", "rank", "--utility", "spectrum", "--multiple-of", "2"]
      ),
      ("prune", "--sparsity", ["0.2", "0.5", "0.51", "0.9"], ["WEIGHTS", "--psi", "measured"]),
      ("prune", "--sparsity", ["0.3", "0.6"], ["WEIGHTS", "--psi", "measured", "--kappa", "0.5"]),
      ("prune", "--sparsity", ["0.3", "0.6"], ["WEIGHTS", "--min", "0.1"]),
      (
        "prune", "--sparsity", ["0.1", "0.45"],
        ["WEIGHTS", "--psi", "measured", "--pattern", "2:4"]
      ),
      ("prune", "--sparsity", ["0.2", "0.4"], ["--pattern", "2:4"]),
    ])
  func sameBitsFromStatistics(
    command: String, option: String, values: [String], options: [String]
  ) throws {
    try temporaryFolder { folder in
      let options =
        options.flatMap { $0 == "WEIGHTS" ? ["--checkpoint", Tool.exampleModel] : [$0] }
        + ["--statistics", Tool.exampleStatistics, "--quiet"]
      let output = "\(folder)/sweep.json"
      let swept = try Tool.run(["sweep", option] + values + options + ["-o", output])
      #expect(swept.status == 0, "\(swept.errors)")
      let bytes = try contents(output)
      let sweep = try decoded(Sweep.self, output)
      let again = try Tool.run(["sweep", option] + values + options + ["-o", output], ranks: 3)
      #expect(try again.status == 0 && contents(output) == bytes, "\(again.errors)")
      for (index, value) in values.enumerated() {
        let alone = try Tool.run(
          [command, option, value] + options + ["-o", "\(folder)/plan.json"])
        #expect(alone.status == 0, "\(alone.errors)")
        let plan = try decoded(Plan.self, "\(folder)/plan.json")
        let point = sweep.points[index]
        #expect(
          point.budget == plan.budget && point.price == plan.price && point.spent == plan.spent)
        #expect(sweep.units.map { $0.continuous[index] } == plan.units.map(\.continuous))
        #expect(sweep.units.map { $0.integer?[index] } == plan.units.map(\.integer))
        #expect(sweep.units.map { $0.pattern?[index] } == plan.units.map(\.pattern))
        #expect(sweep.units.map(\.lower) == plan.units.map(\.lower))
        #expect(sweep.units.map(\.weights) == plan.units.map(\.weights))
      }
    }
  }

  @Test(
    "What cannot be swept says so",
    arguments: [
      (["--sparsity", "0.5", "--psi", "measured", "--scores", "SCORES"], "--checkpoint DIR"),
      (["--sparsity", "0.5", "--checkpoint", "m", "--scores", "SCORES"], "--statistics PATH"),
      (["--sparsity", "0.5", "--utility", "spectrum", "--scores", "SCORES"], "is for --budget"),
      (["--budget", "9", "--pattern", "2:4", "--scores", "SCORES"], "is for --sparsity"),
      (["--budget", "9", "--utility", "spectrum", "--scores", "SCORES"], "--unit rank"),
    ])
  func refused(options: [String], said: String) throws {
    try temporaryFolder { folder in
      let scores = try writeScores(in: folder)[1]
      let swept = try Tool.run(
        ["sweep", "-o", "\(folder)/s.json"] + options.map { $0 == "SCORES" ? scores : $0 })
      #expect(swept.status == 64 && swept.errors.contains(said), "\(swept.errors)")
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
