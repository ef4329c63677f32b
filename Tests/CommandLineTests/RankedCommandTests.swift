import Foundation
import TestSupport
import Testing

/// The command under a real mpirun. Ranks outnumber the cores, so one test runs at a time.
@Suite("The command under mpirun", .serialized)
struct RankedCommandTests {
  @Test("Plans and scores are the same bytes for any number of ranks and any search")
  func sameBytes() throws {
    let statistics = ["--statistics", Tool.exampleStatistics]
    let weights = statistics + ["--checkpoint", Tool.exampleModel]
    let commands: [(String, [String])] = [
      ("damages", ["score"] + weights),
      ("measured", ["prune"] + weights + ["--sparsity", "0.6", "--psi", "measured"]),
      (
        "bounded",
        ["prune"] + weights + [
          "--sparsity", "0.5", "--min", "0.3", "--max", "0.7", "--kappa", "0.5", "--group-by",
          "module", "--quality", "damage", "--psi", "measured",
        ]
      ),
      ("judged", ["prune"] + weights + ["--sparsity", "0.6"]),
      (
        "pattern",
        ["prune"] + weights + ["--sparsity", "0.3", "--pattern", "2:4", "--psi", "measured"]
      ),
      ("closed", ["prune"] + statistics + ["--sparsity", "0.3", "--pattern", "0:4,2:4"]),
      ("score", ["score"] + statistics),
      ("slots", ["allocate"] + statistics + ["--budget", "96", "--integer"]),
      (
        "ranks",
        ["allocate"] + statistics + [
          "--group-by", "module", "--budget", "20000 parameters", "--unit", "rank", "--utility",
          "spectrum",
        ]
      ),
      (
        "blocks",
        ["allocate"] + statistics + [
          "--budget", "40000 parameters", "--unit", "rank", "--utility", "spectrum",
          "--multiple-of",
          "2", "--min", "2",
          "--precision", "double",
        ]
      ),
      (
        "bytes",
        ["allocate"] + statistics + [
          "--group-by", "module", "--budget", "100000", "--cost", "parameters", "--integer",
          "--spend", "all", "--curvature", "diagonal",
        ]
      ),
      (
        "exact",
        ["score"] + statistics + [
          "--curvature", "kronecker", "--tokens-per-sample", "auto", "--gain", "plain",
        ]
      ),
      (
        "kronfluence",
        ["score", "--statistics", Tool.kronfluenceFactors, "--curvature", "ekfac"]
      ),
      ("half", ["prune"] + statistics + ["--sparsity", "0.5", "--max", "0.9"]),
      (
        "log",
        ["prune"] + statistics + [
          "--sparsity", "0.6", "--psi", "log", "--group-by", "module", "--damage", "per-weight",
          "--quality-floor", "0.05", "--precision", "double",
        ]
      ),
    ]
    try temporaryFolder { folder in
      for (name, arguments) in commands {
        let alone = "\(folder)/\(name).json"
        let first = try Tool.run(arguments + ["-o", alone, "--quiet"])
        #expect(first.status == 0, "\(first.errors)")
        let expected = try contents(alone)
        for ranks in [1, 2, 3, 4, 7] {
          let path = "\(folder)/\(name)-\(ranks).json"
          let outcome = try Tool.run(arguments + ["-o", path, "--quiet"], ranks: ranks)
          #expect(outcome.status == 0, "\(name) on \(ranks): \(outcome.errors)")
          #expect(try contents(path) == expected, "\(name) differs on \(ranks) ranks")
        }
        guard arguments[0] != "score" else { continue }
        for search in ["bisection", "multisection", "accelerated"] {
          let path = "\(folder)/\(name)-\(search).json"
          let outcome = try Tool.run(
            arguments + ["-o", path, "--quiet", "--search", search], ranks: 2)
          #expect(outcome.status == 0, "\(outcome.errors)")
          #expect(try contents(path) == expected, "\(name) differs with \(search)")
        }
      }
    }
  }

  @Test("Inspecting statistics divides them over the ranks and prints the same")
  func inspectOnRanks() throws {
    for path in [Tool.exampleStatistics, Tool.kronfluenceFactors] {
      let alone = try Tool.run(["inspect", path])
      #expect(alone.status == 0, "\(alone.errors)")
      for ranks in [2, 3] {
        let outcome = try Tool.run(["inspect", path], ranks: ranks)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == alone.output)
      }
    }
  }

  @Test("With a checkpoint units are judged by what they would lose, else by their gains")
  func defaults() throws {
    try temporaryFolder { folder in
      let path = "\(folder)/plan.json"
      let prune = [
        "prune", "--statistics", Tool.exampleStatistics, "--sparsity", "0.5", "-o", path,
      ]
      for (more, expected) in [
        (
          ["--checkpoint", Tool.exampleModel],
          [
            #""quality" : "damage""#, #""psi" : "log""#, #""kappa" : 0.25"#,
            #""damage" : "per-weight""#,
          ]
        ),
        (
          [],
          [
            #""quality" : "gain""#, #""psi" : "quadratic""#, #""kappa" : 1"#,
            #""damage" : "per-unit""#,
          ]
        ),
      ] {
        #expect(try Tool.run(prune + more + ["--quiet"]).status == 0)
        let plan = String(decoding: try contents(path), as: UTF8.self)
        for text in expected { #expect(plan.contains(text), "\(text)") }
      }
    }
  }

  @Test("What needs weights says which options to give")
  func weightsNeeded() throws {
    let scores = ["--scores", "scores.json", "--sparsity", "0.5", "-o", "plan.json"]
    let statistics = [
      "--statistics", Tool.exampleStatistics, "--sparsity", "0.5", "-o", "plan.json",
    ]
    for (arguments, hint) in [
      (scores + ["--psi", "measured"], "instead of --scores"),
      (scores + ["--checkpoint", Tool.exampleModel], "needs --statistics"),
      (statistics + ["--psi", "measured"], "--checkpoint DIR"),
      (statistics + ["--quality", "damage"], "--checkpoint DIR"),
      (statistics + ["--pattern", "5:4"], "--pattern is 5:4"),
      (
        statistics + ["--checkpoint", Tool.exampleModel, "--psi", "measured", "--eta", "1"],
        "--eta is for"
      ),
    ] {
      let outcome = try Tool.run(["prune"] + arguments)
      #expect(outcome.status == 64, "\(outcome.errors)")
      #expect(outcome.errors.contains(hint), "\(outcome.errors)")
    }
  }

  @Test("Usage errors and help are printed once by several ranks")
  func usageOnce() throws {
    let wrong = try Tool.run(["prune", "--sparsity", "2"], ranks: 3)
    #expect(wrong.status == 64)
    #expect(occurrences(of: "Error:", in: wrong.errors) == 1, "\(wrong.errors)")
    let help = try Tool.run(["--help"], ranks: 3)
    #expect(help.status == 0)
    #expect(occurrences(of: "OVERVIEW:", in: help.output) == 1)
  }
}
