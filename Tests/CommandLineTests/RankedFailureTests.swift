import Foundation
import TestSupport
import Testing

/// What one rank meets and all must end alike on, under a real mpirun.
@Suite("Failures under mpirun", .serialized)
struct RankedFailureTests {
  @Test(
    "A NaN that only one rank meets ends every rank with 65, one message and no output",
    arguments: [1, 3, 4])
  func oneBadRank(ranks: Int) throws {
    try temporaryFolder { folder in
      // The sixth block's first gradient becomes NaN; one rank owns that block.
      let damaged = folder + "/damaged.safetensors"
      try DamagedCopy.of(
        Tool.exampleStatistics, at: damaged, key: "model.layers.5.mlp.up_proj.gradient")
      let output = folder + "/out"
      try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: false)
      for command in [
        ["score"], ["allocate", "--budget", "96"], ["prune", "--sparsity", "0.5"],
      ] {
        let outcome = try Tool.run(
          command + ["--statistics", damaged, "-o", output + "/result.json"], ranks: ranks)
        #expect(outcome.status == 65, "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
        #expect(occurrences(of: "model.layers.5.mlp.up_proj.gradient", in: outcome.errors) == 1)
        #expect(outcome.errors.contains("nan"), "\(outcome.errors)")
        #expect(outcome.errors.contains("damaged.safetensors"), "\(outcome.errors)")
        // A run that takes more than a second, as on a busy machine, keeps what was done.
        let left = files(in: output).filter { $0 != "result.json.journal" }
        #expect(left.isEmpty, "\(left)")
      }
    }
  }

  @Test("Every failure has its exit code on several ranks, and is said once", arguments: [1, 3])
  func exitCodes(ranks: Int) throws {
    try temporaryFolder { folder in
      let costs = folder + "/costs.csv"
      try "name,cost\nmodel.layers.0,-1\n".write(toFile: costs, atomically: true, encoding: .utf8)
      let bounds = folder + "/bounds.csv"
      try "name,lower,upper\nmodel.layer.3,1,2\n".write(
        toFile: bounds, atomically: true, encoding: .utf8)
      let program = folder + "/program.csv"
      try "name,alpha,gamma\nmodel.layer.4,1,\n".write(
        toFile: program, atomically: true, encoding: .utf8)
      let empty = folder + "/empty"
      try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: false)
      let twice = folder + "/twice.csv"
      try "name,gain\na,1\na,2\n".write(toFile: twice, atomically: true, encoding: .utf8)
      let example = ["--statistics", Tool.exampleStatistics]
      let output = ["-o", folder + "/plan.json"]
      let cases: [([String], Int32, String)] = [
        (["score", "--statistics", folder + "/nothing"], 66, "nothing"),
        (["score", "--statistics", empty], 66, "empty"),
        (["allocate", "--scores", folder + "/nothing.json", "--budget", "1"], 66, "nothing.json"),
        (["allocate", "--scores", twice, "--budget", "1"], 65, "listed twice"),
        (["allocate", "--budget", "5", "--min", "1"] + example, 69, "7.0 more"),
        (["prune", "--sparsity", "0.8", "--max", "0.5"] + example, 69, "reach is 0.5"),
        (["allocate", "--budget", "96", "--cost", costs] + example, 65, "has no cost for"),
        (["allocate", "--budget", "96", "--bounds", bounds] + example, 65, "model.layers.3"),
        (["allocate", "--budget", "96", "--program", program] + example, 65, "model.layers.4"),
        (["score", "--curvature", "dense"] + example, 65, "hessian"),
        (["score", "--include", "nobody"] + example, 65, "nobody"),
        (["score", "--group-by", "(("] + example, 65, "(("),
      ]
      for (arguments, code, hint) in cases {
        let outcome = try Tool.run(arguments + output, ranks: ranks)
        #expect(outcome.status == code, "\(arguments): \(outcome.errors)")
        #expect(outcome.errors.contains(hint), "\(arguments): \(outcome.errors)")
        #expect(occurrences(of: "layerbudget: ", in: outcome.errors) == 1, "\(outcome.errors)")
        #expect(!files(in: folder).contains("plan.json"))
      }
      let unwritable = try Tool.run(
        ["score", "-o", folder + "/no/such/folder/scores.json"] + example, ranks: ranks)
      #expect(unwritable.status == 73, "\(unwritable.errors)")
    }
  }

  @Test("Ranks that see other files under the same path, or none, end alike instead of waiting")
  func differentFiles() throws {
    try temporaryFolder { folder in
      let folders = ["\(folder)/a", "\(folder)/b", "\(folder)/c"]
      let manager = FileManager.default
      for (number, host) in folders.enumerated() {
        try manager.createDirectory(
          atPath: "\(host)/model", withIntermediateDirectories: true)
        // Statistics, a checkpoint, nothing.
        guard number < 2 else { continue }
        try manager.copyItem(
          atPath: number == 0 ? Tool.exampleStatistics : Tool.exampleModel + "/model.safetensors",
          toPath: "\(host)/model/model.safetensors")
      }
      let output = ["-o", folder + "/result.json"]
      for command in [
        ["inspect", "model"], ["score", "--statistics", "model"] + output,
        ["allocate", "--statistics", "model", "--budget", "96"] + output,
        ["prune", "--statistics", Tool.exampleStatistics, "--checkpoint", "model"]
          + ["--sparsity", "0.5"] + output,
        ["sweep", "--statistics", "model", "--budget", "96"] + output,
      ] {
        let different = try Tool.run(command, inFolders: Array(folders.prefix(2)))
        #expect(different.status == 65, "\(command): \(different.errors)")
        let missing = try Tool.run(command, inFolders: [folders[0], folders[2]])
        #expect([65, 66].contains(missing.status), "\(command): \(missing.errors)")
        for outcome in [different, missing] {
          #expect(occurrences(of: "layerbudget: ", in: outcome.errors) == 1, "\(outcome.errors)")
        }
        #expect(!files(in: folder).contains { $0.hasPrefix("result") })
      }
    }
  }

  @Test("Ranks that see other values behind equal headers are told")
  func differentValues() throws {
    try temporaryFolder { folder in
      let folders = ["\(folder)/a", "\(folder)/b"]
      for (number, host) in folders.enumerated() {
        try FileManager.default.createDirectory(
          atPath: host, withIntermediateDirectories: false)
        var bytes = try contents(Tool.exampleStatistics)
        // The last tensor's last element: another collection's values begin to differ somewhere.
        if number == 1 { bytes[bytes.count - 1] ^= 1 }
        try bytes.write(to: URL(fileURLWithPath: host + "/s.safetensors"))
      }
      let outcome = try Tool.run(
        ["score", "--statistics", "s.safetensors", "-o", folder + "/result.json"],
        inFolders: folders)
      #expect(outcome.status == 65)
      #expect(outcome.errors.contains("see different contents"), "\(outcome.errors)")
      #expect(!files(in: folder).contains { $0.hasPrefix("result") })
    }
  }

  @Test("A weight that is not finite ends every rank with 65 and names tensor, index and value")
  func badWeight() throws {
    try temporaryFolder { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/model", withIntermediateDirectories: false)
      try DamagedCopy.of(
        Tool.exampleModel + "/model.safetensors", at: folder + "/model/model.safetensors",
        key: "model.layers.5.mlp.up_proj.weight")
      for command in [["score"], ["prune", "--sparsity", "0.5"]] {
        let outcome = try Tool.run(
          command + [
            "--statistics", Tool.exampleStatistics, "--checkpoint", folder + "/model", "-o",
            folder + "/result.json",
          ], ranks: 3)
        #expect(outcome.status == 65, "\(outcome.errors)")
        #expect(outcome.errors.contains("model.layers.5.mlp.up_proj.weight"), "\(outcome.errors)")
        #expect(
          outcome.errors.contains("nan") && outcome.errors.contains("[0, 0]"), "\(outcome.errors)")
        #expect(!files(in: folder).contains("result.json"))
      }
    }
  }
}
