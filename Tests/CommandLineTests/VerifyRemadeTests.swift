import Foundation
import TensorFiles
import TestSupport
import Testing

/// Plans made again from what they were made from.
@Suite("Verifying plans against their inputs", .serialized)
struct VerifyRemadeTests {
  /// How a plan is made, what is given to verify it, and numbers of it that are edited.
  struct Case: Sendable, CustomTestStringConvertible {
    let command: [String]
    let inputs: [String]
    let fields: [String]
    var options: [String] = []
    var testDescription: String { command.joined(separator: " ") }
  }

  private static let statistics = ["--statistics", Tool.exampleStatistics]
  private static let weights = statistics + ["--checkpoint", Tool.exampleModel]
  /// In every plan.
  private static let common = [
    "price", "spent", "spent_integer", "gain", "quality", "continuous", "integer", "upper",
    "primal", "dual", "gap", "kkt_residual", "standard_error",
  ]
  private static let closed = [
    "bound_worth", "budget_sensitivity", "continuous_standard_error", "noise_regret", "modulus",
    "condition_number",
  ]

  @Test(
    "A plan agrees with its inputs on any number of ranks, and every edited number is named",
    arguments: [
      Case(
        command: ["allocate", "--budget", "96", "--integer", "--max", "12"] + statistics,
        inputs: statistics, fields: common + closed + ["integrality_gap"],
        options: ["budget", "min", "alpha", "offset"]),
      Case(
        command: ["allocate", "--budget", "40000 parameters", "--unit", "rank", "--utility"]
          + ["spectrum", "--gamma", "0.7", "--group-by", "module"] + statistics,
        inputs: statistics,
        fields: common.filter { $0 != "primal" && $0 != "dual" }
          + ["predicted_loss_decrease", "spectrum", "log", "uniform"]),
      Case(
        command: ["prune", "--sparsity", "0.5", "--psi", "measured", "--max", "0.9"] + weights,
        inputs: weights,
        fields: common + ["damage", "measured", "quadratic", "log", "uniform", "mu"]),
      Case(
        command: ["prune", "--sparsity", "0.5", "--psi", "measured", "--kappa", "0.5"] + weights,
        inputs: weights, fields: ["quadratic"], options: ["compared_kappa", "sparsity"]),
      Case(
        command: ["prune", "--sparsity", "0.4", "--pattern", "2:4"] + weights,
        inputs: weights, fields: common + ["damage", "measured", "log", "weights"]),
    ])
  func edited(_ example: Case) throws {
    try temporaryFolder { folder in
      let plan = "\(folder)/plan.json"
      let made = try Tool.run(example.command + ["-o", plan, "--quiet"])
      #expect(made.status == 0, "\(made.errors)")
      let verify = ["inspect", plan, "--verify"] + example.inputs
      for ranks in [1, 2, 3] {
        let good = try Tool.run(verify, ranks: ranks)
        #expect(good.status == 0, "\(ranks) ranks: \(good.errors)\(good.output)")
        #expect(good.output.contains("by making it again") && !good.output.contains("not checked"))
      }
      let text = String(decoding: try contents(plan), as: UTF8.self)
      func edited(_ text: String, _ field: String) throws -> String {
        // A digit in front changes the value of any number, whatever its exponent.
        let changed = try text.replacing(
          Regex("\"\(field)\" : (-?)([0-9])"), maxReplacements: 1
        ) { "\"\(field)\" : \($0.output[1].substring ?? "")1\($0.output[2].substring ?? "")" }
        #expect(changed != text, "no \(field) to edit")
        return changed
      }
      // Answers: all at once, each to be named.
      let all = try example.fields.reduce(text, edited)
      try DurableFile.write(Array(all.utf8), to: plan)
      let bad = try Tool.run(verify)
      #expect(bad.status == 65, "\(bad.output)\(bad.errors)")
      for field in example.fields {
        #expect(bad.output.contains("\(field) is "), "\(field): \(bad.output)")
      }
      #expect(bad.output.count(where: { $0.isNewline }) >= example.fields.count + 2)
      // Options: one by one, as each makes another plan.
      for field in example.options {
        try DurableFile.write(Array(try edited(text, field).utf8), to: plan)
        let bad = try Tool.run(verify, ranks: 2)
        #expect(bad.status == 65 && bad.output.contains("differs: "), "\(field): \(bad.output)")
      }
    }
  }

  @Test(
    "Plans with tables, powers and blanks in their options are made again",
    arguments: [
      [
        "allocate", "--budget", "96", "--integer", "--utility", "power:0.5", "--program", "PROGRAM",
      ],
      ["allocate", "--budget", "9000", "--cost", "COSTS", "--bounds", "BOUNDS", "--gamma", "0.9"],
      ["allocate", "--budget", "96", "--fix", "(layers| x).0=4", "--fix", "layers.1=5"],
      ["prune", "--sparsity", "0.5", "--bounds", "BOUNDS", "--psi", "log", "--per-parameter"],
    ], [1, 3])
  func tables(command: [String], ranks: Int) throws {
    try temporaryFolder { folder in
      let (plan, scores) = ("\(folder)/plan.json", "\(folder)/scores.json")
      let tables = [
        "PROGRAM": ("--program", "name,alpha,gamma\nmodel.layers.0,0.25,\nmodel.layers.2,,3\n"),
        "COSTS": (
          "--costs", "name,cost\n" + (0..<12).map { "model.layers.\($0),\(90 + $0)\n" }.joined()
        ),
        "BOUNDS": ("--bounds", "name,lower,upper\nmodel.layers.1,0.25,0.75\nmodel.layers.3,,0.5\n"),
      ]
      let scored = try Tool.run([
        "score", "--statistics", Tool.exampleStatistics, "-o", scores, "--quiet",
      ])
      #expect(scored.status == 0, "\(scored.errors)")
      let names = try JSONDecoder().decode(Names.self, from: contents(scores)).units.map(\.name)
      var (made, given, others) = (command, [String](), [String]())
      for (word, (option, table)) in tables where command.contains(word) {
        let path = "\(folder)/\(word).csv"
        let lines = table.split(separator: "\n").filter { line in
          line.hasPrefix("name,") || names.contains { line.hasPrefix("\($0),") }
        }
        try DurableFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: path)
        made[made.firstIndex(of: word) ?? 0] = path
        given += [option, path]
        // One line more than the plan's table: another fingerprint.
        try DurableFile.write(Array((lines.joined(separator: "\n") + "\n\n").utf8), to: path + "2")
        others += [option, path + "2"]
      }
      let run = try Tool.run(made + ["--scores", scores, "-o", plan, "--quiet"], ranks: ranks)
      #expect(run.status == 0, "\(run.errors)")
      let verify = ["inspect", plan, "--verify", "--scores", scores]
      let good = try Tool.run(verify + given, ranks: ranks)
      #expect(good.status == 0, "\(good.errors)\(good.output)")
      #expect(!good.output.contains("not checked"))
      guard !given.isEmpty else { return }

      // The plan holds the tables' numbers itself, and says that they were not compared.
      let without = try Tool.run(verify, ranks: ranks)
      #expect(without.status == 0 && without.output.contains("not checked: the plan's own numbers"))
      // Another file, though it says the same, is told first.
      let other = try Tool.run(verify + others, ranks: ranks)
      #expect(other.status == 65 && other.errors.contains("first: "), "\(other.output)")
      #expect(other.errors.contains("not what the plan was made from"), "\(other.errors)")
    }
  }

  private struct Names: Decodable {
    struct Unit: Decodable { let name: String }
    let units: [Unit]
  }

  @Test("Gains that differ in their last bits alone are put down to kernels and threads")
  func lastBits() throws {
    try temporaryFolder { folder in
      let plan = "\(folder)/plan.json"
      let cause =
        "other BLAS kernels or --threads than those of the plan's run give other last bits"
      let allocate = ["allocate", "--budget", "96", "-o", plan, "--quiet"] + Self.statistics
      let verify = ["inspect", plan, "--verify"] + Self.statistics
      for precision in ["single", "double"] {
        let made = try Tool.run(allocate + ["--precision", precision])
        #expect(made.status == 0, "\(made.errors)")
        let text = String(decoding: try contents(plan), as: UTF8.self)
        // The first gain, as other kernels could have rounded it, and as none could.
        let gain = try #require(try Regex("\"gain\" : ([0-9.e+-]+)").firstMatch(in: text))
        let value = try #require(gain.output[1].substring.flatMap { Double($0) })
        for (factor, isRounding) in [
          (1 + 0x1p-52, true), (1 + 0x1p-25, precision == "single"), (1.001, false),
        ] {
          let edited = text.replacingCharacters(
            in: gain.range, with: "\"gain\" : \(value * factor)")
          try DurableFile.write(Array(edited.utf8), to: plan)
          for ranks in [1, 3] {
            let bad = try Tool.run(verify, ranks: ranks)
            #expect(bad.status == 65 && bad.output.contains("gain is "), "\(factor): \(bad.output)")
            #expect(bad.errors.contains(cause) == isRounding, "\(factor): \(bad.errors)")
            #expect(bad.errors.contains("make the plan again"), "\(bad.errors)")
          }
        }
        let asDocument = try Tool.run(verify + ["--json"])
        #expect(asDocument.status == 65 && !asDocument.output.contains("\"cause\""))
      }
      #if arch(x86_64)
        // Kernels that every such processor has, and that round differently.
        let kernels = ["Prescott", "Nehalem"].map { ["OPENBLAS_CORETYPE": $0] }
        let made = try Tool.run(allocate, environment: kernels[0])
        #expect(made.status == 0, "\(made.errors)")
        let same = try Tool.run(verify, environment: kernels[0])
        #expect(same.status == 0, "\(same.errors)")
        let other = try Tool.run(verify + ["--json"], environment: kernels[1])
        #expect(other.status == 65 && other.errors.contains(cause), "\(other.errors)")
        #expect(other.output.contains("\"cause\" : \"the gains computed anew"), "\(other.output)")
      #endif
    }
  }

  @Test("Other scores are told first, and inputs that made no part of the plan are refused")
  func others() throws {
    try temporaryFolder { folder in
      let (plan, scores) = ("\(folder)/plan.json", "\(folder)/scores.csv")
      try DurableFile.write(Array("name,gain\na.0,1\na.1,2\n".utf8), to: scores)
      let made = try Tool.run([
        "allocate", "--scores", scores, "--budget", "9", "-o", plan, "--quiet",
      ])
      #expect(made.status == 0, "\(made.errors)")
      for (rows, units) in [("a.0,1\na.1,3\n", 2), ("a.0,1\n", 1), ("a.0,0\na.1,0\n", 2)] {
        try DurableFile.write(Array("name,gain\n\(rows)".utf8), to: scores)
        let bad = try Tool.run(["inspect", plan, "--verify", "--scores", scores], ranks: 2)
        #expect(bad.status == 65 && bad.errors.contains("first: scores: not what"), "\(units)")
      }
      let wrong = try Tool.run(
        ["inspect", plan, "--verify", "--statistics", Tool.exampleStatistics])
      #expect(wrong.status == 64 && wrong.errors.contains("--statistics"), "\(wrong.errors)")
      let missing = try Tool.run(["inspect", plan, "--verify", "--scores", "\(folder)/no.csv"])
      #expect(missing.status == 66, "\(missing.errors)")
    }
  }

  @Test("A parameter that is not there, or has another name, is a disagreement")
  func parameters() throws {
    try temporaryFolder { folder in
      let (plan, scores) = ("\(folder)/plan.json", "\(folder)/scores.csv")
      try DurableFile.write(Array("name,gain\na.0,1\na.1,2\n".utf8), to: scores)
      let made = try Tool.run([
        "allocate", "--scores", scores, "--budget", "9", "-o", plan, "--quiet",
      ])
      #expect(made.status == 0, "\(made.errors)")
      let text = String(decoding: try contents(plan), as: UTF8.self)
      for (name, other) in [("min", "mmn"), ("alpha_per", "alphaper"), ("utility", "utilitx")] {
        let edited = text.replacing("\"\(name)\" :", with: "\"\(other)\" :")
        #expect(edited != text)
        try DurableFile.write(Array(edited.utf8), to: plan)
        let bad = try Tool.run(["inspect", plan, "--verify", "--scores", scores])
        #expect(bad.status == 65, "\(name): \(bad.output)")
        #expect(bad.errors.contains(name), "\(bad.errors)")
      }
    }
  }
}
