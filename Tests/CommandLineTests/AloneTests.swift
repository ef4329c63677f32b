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
      (
        [
          "allocate", "--scores", "x", "--budget", "1 ranks", "--unit", "rank", "--utility",
          "spectrum", "-o", "z",
        ], "--statistics PATH"
      ),
      (
        ["allocate", "--statistics", "x", "--budget", "1", "--utility", "spectrum", "-o", "z"],
        "--unit rank"
      ),
      (
        [
          "allocate", "--statistics", "x", "--budget", "1 ranks", "--unit", "rank", "--utility",
          "spectrum", "--curvature", "ekfac", "-o", "z",
        ], "kfac or identity"
      ),
      (
        ["allocate", "--scores", "x", "--budget", "1", "--utility", "power:1", "-o", "z"],
        "from 1e-6 to below 1"
      ),
      (
        ["sweep", "--scores", "x", "--budget", "1", "--utility", "power:1.5", "-o", "z"],
        "--utility"
      ),
      (["score", "--statistics", "x", "--damping", "half", "-o", "z"], "half"),
      (["score", "--statistics", "x", "--curvature", "magic", "-o", "z"], "magic"),
      (["score", "--statistics", "x"], "-o"),
      (["score", "--statistics", "x", "--tokens-per-sample", "0", "-o", "z"], "0"),
      (
        [
          "score", "--statistics", "x", "--tokens-per-sample", "auto", "--curvature", "ekfac", "-o",
          "z",
        ], "per sample already"
      ),
      (["score", "--statistics", "x", "--large-modules", "shrink", "-o", "z"], "shrink"),
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
      #expect(allocated.output.contains("spends 96 of 96 slots"))

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

  @Test("Details show what each gain rests on, and inspect shows the same without computing gains")
  func details() throws {
    try temporaryFolder { folder in
      let scores = folder + "/scores.json"
      let scored = try Tool.run([
        "score", "--statistics", Tool.exampleStatistics, "--curvature", "kronecker", "--gain",
        "plain", "--details", "-o", scores,
      ])
      #expect(scored.status == 0, "\(scored.errors)")
      for title in ["damping", "π", "condition", "clamped", "precision", "bounds", "noise"] {
        #expect(scored.output.contains(title), "\(title)")
      }
      #expect(scored.output.contains("model.layers.11.mlp.up_proj"))
      #expect(scored.errors.contains("computed in double precision"))
      let shown = try Tool.run(["inspect", scores])
      #expect(shown.output.contains("model.layers.11.mlp.up_proj"))
      #expect(shown.output.contains("computed in double precision"))

      let surveyed = try Tool.run([
        "inspect", Tool.exampleStatistics, "--curvature", "kronecker", "--tokens-per-sample",
        "auto",
      ])
      #expect(surveyed.status == 0, "\(surveyed.errors)")
      #expect(surveyed.output.contains("condition ≤"))
      #expect(surveyed.output.contains("curvature shown: kronecker"))
      let headers = try Tool.run(["inspect", Tool.exampleStatistics, "--headers"])
      #expect(headers.output.contains("none, headers only"))
    }
  }

  @Test("A grouping that matches nothing is refused; what it leaves out is told")
  func grouping() throws {
    try temporaryFolder { folder in
      func score(_ pattern: String) throws -> Tool.Outcome {
        try Tool.run([
          "score", "--statistics", Tool.exampleStatistics, "--group-by", pattern, "-o",
          folder + "/s.json",
        ])
      }
      let none = try score("nothing(\\d+)")
      #expect(none.status == 65)
      #expect(none.errors.contains("matches none of 84 modules"), "\(none.errors)")
      let some = try score("layers\\.\\d+\\.(mlp)")
      #expect(some.status == 0, "\(some.errors)")
      #expect(some.errors.contains("48 modules outside of every group"), "\(some.errors)")
      #expect(some.output.contains("49 units"))
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
