import Foundation
import TensorFiles
import TestSupport
import Testing

/// Plans solved again from what they hold.
@Suite("Verifying plans", .serialized)
struct VerifyTests {
  @Test(
    "A plan as written agrees with itself, and one changed figure is found",
    arguments: [
      ["allocate", "--budget", "96", "--integer"],
      ["allocate", "--budget", "96", "--gamma", "0.9", "--spend", "all", "--max", "9"],
      ["allocate", "--budget", "96", "--integer", "--utility", "power:0.5"],
      ["prune", "--sparsity", "0.5", "--max", "0.9", "--depth-prior", "1"],
      ["prune", "--sparsity", "0.4", "--psi", "log", "--per-parameter"],
    ])
  func closedForms(command: [String]) throws {
    try temporaryFolder { folder in
      let plan = "\(folder)/plan.json"
      let scores = "\(folder)/scores.json"
      let scored = try Tool.run([
        "score", "--statistics", Tool.exampleStatistics, "-o", scores, "--quiet",
      ])
      #expect(scored.status == 0)
      let made = try Tool.run(command + ["--scores", scores, "-o", plan, "--quiet"], ranks: 2)
      #expect(made.status == 0, "\(made.errors)")
      let good = try Tool.run(["inspect", plan, "--verify", "--scores", scores])
      #expect(good.status == 0, "\(good.errors)")
      #expect(good.output.contains("by making it again"))
      // Without its scores the gains cannot be compared, and it says so.
      let alone = try Tool.run(["inspect", plan, "--verify"], ranks: 2)
      #expect(alone.status == 0 && alone.output.contains("not checked: gains"))

      let text = String(decoding: try contents(plan), as: UTF8.self)
      var found = 0
      for field in ["price", "spent", "continuous", "quality", "dual", "gain", "gap"] {
        let changed = try text.replacing(
          Regex("\"\(field)\" : (-?)([0-9])"), maxReplacements: 1
        ) { "\"\(field)\" : \($0.output[1].substring ?? "")1\($0.output[2].substring ?? "")" }
        #expect(changed != text, "\(field)")
        try DurableFile.write(Array(changed.utf8), to: plan)
        let bad = try Tool.run(["inspect", plan, "--verify", "--scores", scores])
        #expect(bad.status == 65 && bad.output.contains("differs: "), "\(field): \(bad.output)")
        found += 1
      }
      #expect(found == 7)
    }
  }

  @Test(
    "A plan holds its units' own alpha and gamma, so that it can be solved again",
    arguments: [1, 3])
  func ownNumbers(ranks: Int) throws {
    try temporaryFolder { folder in
      let (plan, table) = ("\(folder)/plan.json", "\(folder)/program.csv")
      try DurableFile.write(
        Array("name,alpha,gamma\nmodel.layers.0,0.25,\nmodel.layers.2,,3\n".utf8), to: table)
      let example = ["allocate", "--statistics", Tool.exampleStatistics, "-o", plan, "--quiet"]
      let made = try Tool.run(
        example + ["--budget", "96", "--integer", "--program", table], ranks: ranks)
      #expect(made.status == 0, "\(made.errors)")
      let verified = try Tool.run(["inspect", plan, "--verify"])
      #expect(verified.status == 0, "\(verified.errors)")
      let text = String(decoding: try contents(plan), as: UTF8.self)
      for (old, new) in [
        ("\"alpha\" : 0.25", "\"alpha\" : 0.125"), ("gamma_factor\" : 3", "gamma_factor\" : 4"),
        ("\"integer\" : 1", "\"intege\" : 1"),
      ] {
        let changed = text.replacing(old, with: new)
        #expect(changed != text, "\(old)")
        try DurableFile.write(Array(changed.utf8), to: plan)
        #expect(try Tool.run(["inspect", plan, "--verify"]).status == 65, "\(old)")
      }
    }
  }

  @Test("What a plan does not hold is named as not checked")
  func measured() throws {
    try temporaryFolder { folder in
      let plan = "\(folder)/plan.json"
      let made = try Tool.run([
        "prune", "--statistics", Tool.exampleStatistics, "--checkpoint", Tool.exampleModel,
        "--sparsity", "0.5", "--psi", "measured", "-o", plan, "--quiet",
      ])
      #expect(made.status == 0, "\(made.errors)")
      let verified = try Tool.run(["inspect", plan, "--verify"])
      #expect(verified.status == 0, "\(verified.errors)")
      #expect(verified.output.contains("not checked: the solution"))
    }
  }
}
