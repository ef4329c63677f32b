import Foundation
import TestSupport
import Testing

@Suite("The command without mpirun")
struct AloneTests {
  @Test(
    "Help and version need no MPI and end well",
    arguments: [
      ["--help"], ["--version"], ["score", "--help"], ["allocate", "--help"], ["prune", "--help"],
      ["inspect", "--help"],
    ])
  func help(arguments: [String]) throws {
    let outcome = try Tool.run(arguments)
    #expect(outcome.status == 0)
    #expect(!outcome.output.isEmpty)
    #expect(outcome.errors.isEmpty)
  }

  @Test(
    "Wrong usage is 64 and says what is wrong",
    arguments: [
      (["allocate", "--budget", "10", "-o", "x.json"], "--scores"),
      (["allocate", "--statistics", "x", "--scores", "y", "--budget", "1", "-o", "z"], "not both"),
      (["prune", "--statistics", "x", "--sparsity", "1.5", "-o", "z"], "1.5"),
      (["allocate", "--statistics", "x", "--budget", "1", "--cost", "-2", "-o", "z"], "-2"),
      (["allocate", "--statistics", "x", "--budget", "1", "--gamma", "no", "-o", "z"], "no"),
      (["score", "--statistics", "x", "--damping", "half", "-o", "z"], "half"),
      (["score", "--statistics", "x", "--curvature", "magic", "-o", "z"], "magic"),
      (["score", "--statistics", "x"], "-o"),
      (["alocate"], "alocate"),
    ])
  func usage(arguments: [String], hint: String) throws {
    let outcome = try Tool.run(arguments)
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains(hint), "\(outcome.errors)")
  }

  @Test("The example goes from statistics to scores to both plans, and inspect shows each")
  func wholeRoad() throws {
    try temporaryFolder { folder in
      let (scores, plan, pruning) = (
        folder + "/scores.json", folder + "/plan.json", folder + "/pruning.json"
      )
      let scored = try Tool.run(
        ["score", "--statistics", Tool.exampleStatistics, "-o", scores, "--precision", "double"])
      #expect(scored.status == 0, "\(scored.errors)")
      #expect(scored.output.contains("model.layers.11"))

      let allocated = try Tool.run(
        ["allocate", "--scores", scores, "--budget", "96", "--integer", "-o", plan])
      #expect(allocated.status == 0, "\(allocated.errors)")
      #expect(allocated.output.contains("spends 96.00 of 96.00"))

      let pruned = try Tool.run(
        ["prune", "--scores", scores, "--sparsity", "0.5", "--max", "0.9", "-o", pruning, "--json"])
      #expect(pruned.status == 0, "\(pruned.errors)")
      #expect(Data(pruned.output.utf8) == (try contents(pruning)))

      for path in [
        Tool.exampleStatistics, scores, plan, pruning, Tool.repository + "/docs/example/model",
      ] {
        let seen = try Tool.run(["inspect", path])
        #expect(seen.status == 0, "\(seen.errors)")
        #expect(seen.output.contains("layers.11"), "\(path): \(seen.output)")
      }
      #expect(
        files(in: folder) == [
          "plan.json", "plan.run.json", "pruning.json", "pruning.run.json", "scores.json",
          "scores.run.json",
        ])
    }
  }

  @Test("Quiet prints nothing; NO_COLOR and pipes get no colour")
  func quiet() throws {
    try temporaryFolder { folder in
      let outcome = try Tool.run([
        "prune", "--statistics", Tool.exampleStatistics, "--sparsity", "0.3", "-o",
        folder + "/plan.json", "--quiet",
      ])
      #expect(outcome.status == 0)
      #expect(outcome.output.isEmpty && outcome.errors.isEmpty)
      let loud = try Tool.run([
        "prune", "--statistics", Tool.exampleStatistics, "--sparsity", "0.3", "-o",
        folder + "/plan.json",
      ])
      #expect(!loud.output.contains("\u{1B}"))
    }
  }

  @Test("A dry run divides the work over the ranks and writes nothing", arguments: [nil, 3])
  func dryRun(ranks: Int?) throws {
    let outcome = try Tool.run(
      ["score", "--statistics", Tool.exampleStatistics, "--dry-run"], ranks: ranks)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("largest work over mean work: 1.000"))
  }
}
