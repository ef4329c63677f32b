import Foundation
import TensorFiles
import TestSupport
import Testing

/// From statistics to a pruned folder by the commands alone; what is in the folder is the
/// interoperability tests' business.
@Suite("Planning and applying", .serialized)
struct ApplyTests {
  private struct Sidecar: Decodable {
    let pruned: Int
    let zeros: Int
    let pattern: String
  }
  private struct Plan: Decodable {
    struct Unit: Decodable {
      let integer: Int
      let pattern: String?
    }
    let units: [Unit]
    var removed: Int { units.reduce(0) { $0 + $1.integer } }
  }

  private func decoded<Document: Decodable>(
    _ type: Document.Type, _ path: String
  ) throws -> Document {
    try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: path)))
  }

  @Test(
    "What prune plans is what apply removes, patterns included",
    arguments: [
      ["--sparsity", "0.6"], ["--sparsity", "0.55", "--psi", "measured"],
      ["--sparsity", "0.3", "--pattern", "2:4"],
      ["--sparsity", "0.4", "--pattern", "0:8,3:8,6:8", "--psi", "measured"],
    ])
  func planned(options: [String]) throws {
    try temporaryFolder { folder in
      let inputs = ["--statistics", Tool.exampleStatistics, "--checkpoint", Tool.exampleModel]
      let plan = "\(folder)/plan.json"
      let pruned = try Tool.run(["prune"] + inputs + options + ["-o", plan, "--quiet"])
      #expect(pruned.status == 0, "\(pruned.errors)")
      let planned = try decoded(Plan.self, plan)
      for method in ["magnitude", "wanda", "sparsegpt"] {
        let output = "\(folder)/\(method)"
        let applied = try Tool.run(
          ["apply", plan] + inputs + ["--method", method, "-o", output, "--quiet"], ranks: 2)
        #expect(applied.status == 0, "\(applied.errors)")
        let sidecar = try decoded(Sidecar.self, "\(output)/layerbudget-apply.json")
        #expect(sidecar.pruned == planned.removed && sidecar.zeros == planned.removed)
        #expect((sidecar.pattern == "none") == !options.contains("--pattern"))
      }
    }
  }

  @Test("A dry run divides the work over the ranks and writes nothing")
  func dryRun() throws {
    try temporaryFolder { folder in
      let plan = "\(folder)/plan.json"
      let pruned = try Tool.run(
        ["prune", "--statistics", Tool.exampleStatistics, "--sparsity", "0.5", "-o", plan])
      #expect(pruned.status == 0, "\(pruned.errors)")
      let before = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      let outcome = try Tool.run(
        ["apply", plan, "--checkpoint", Tool.exampleModel, "--dry-run", "--json"], ranks: 3)
      #expect(outcome.status == 0, "\(outcome.errors)")
      #expect(outcome.output.contains("\"modules\" : 28"), "\(outcome.output)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == before)
    }
  }

  @Test("Names that only look alike are two modules", arguments: ["magnitude", "wanda"])
  func lookalikes(method: String) throws {
    // é as one scalar and as two: equal to Swift's String, different in every file.
    let names = ["\u{E9}.0", "e\u{301}.0"]
    try temporaryFolder { folder in
      let model = "\(folder)/model"
      try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: false)
      let weights = TensorFileWriter.bytes(of: [1, 2, 3, 4] as [Float])
      try TensorFileWriter.write(
        names.map { ("\($0).weight", .float32, [2, 2], weights) }, metadata: [:],
        to: "\(model)/model.safetensors")
      var statistics = StatisticsBuilder()
      for name in names {
        statistics.add("\(name).gradient", [2, 2], [1, 1, 1, 1])
        statistics.add("\(name).activation_covariance", [2], [1, 1])
      }
      try statistics.write(to: "\(folder)/statistics.safetensors")
      let units = zip(names, [1, 2]).map {
        #"{"name":"\#($0)","integer":\#($1),"modules":["\#($0)"]}"#
      }
      let plan =
        #"{"format":"layerbudget.plan/1","program":"pruning","units":[\#(units.joined(separator: ","))]}"#
      try DurableFile.write(Array(plan.utf8), to: "\(folder)/plan.json")
      let outcome = try Tool.run([
        "apply", "\(folder)/plan.json", "--checkpoint", model, "-o", "\(folder)/pruned", "--method",
        method, "--statistics", "\(folder)/statistics.safetensors",
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      let pruned = try TensorCollection(checkpoint: "\(folder)/pruned")
      let zeros = try names.map {
        try pruned.words("\($0).weight", elements: 0..<4, as: UInt32.self).count { $0 == 0 }
      }
      #expect(zeros == [1, 2])
    }
  }
}
