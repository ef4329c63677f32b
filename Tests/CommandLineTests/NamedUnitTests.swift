import Foundation
import TensorFiles
import TestSupport
import Testing

/// Programs count units and users name them: what a program refuses is told by the unit's name.
@Suite("Refused values and the names of their units", .serialized)
struct NamedUnitTests {
  /// A command on twelve units, and the table that makes values of two of them bad.
  struct Case: Sendable, CustomTestStringConvertible {
    let command: [String]
    /// Put in the place of the word `TABLE`.
    let table: String
    let message: String
    var testDescription: String { command.joined(separator: " ") }
  }

  private static let names = (0..<12).map { "model.layers.\($0)" }
  private static let good = names.enumerated().map { "\($1),\($0 + 1),1000\n" }
  private static let name = "\"model.layers.4\""

  /// Scores of which two units, owned by different ranks of three, hold another line.
  private static func scores(_ line: (String) -> String) -> String {
    "name,gain,parameters\n"
      + names.indices.map { $0 == 4 || $0 == 6 ? line(names[$0]) : good[$0] }.joined()
  }

  /// Two lines; that of the later unit first.
  private static func table(_ header: String, _ line: String) -> String {
    "\(header)\n\(names[6]),\(line)\n\(names[4]),\(line)\n"
  }

  private static let cases = [
    Case(
      command: ["allocate", "--scores", "TABLE", "--normalize", "none", "--budget", "96"],
      table: scores { "\($0),1e70,1000\n" },
      message: "the quality of unit \(name) is 1e+70, but must be not negative, at most 2^200"),
    Case(
      command: ["allocate", "--scores", "GOOD", "--bounds", "TABLE", "--budget", "96"],
      table: table("name,lower,upper", "5,3"),
      message: "the upper bound of unit \(name) is 3.0, but must be at least the lower bound 5.0"),
    Case(
      command: [
        "allocate", "--scores", "GOOD", "--bounds", "TABLE", "--budget", "960", "--integer",
        "--multiple-of", "8",
      ],
      table: table("name,lower,upper", "9,15"),
      message: "the range 9.0 to 15.0 of unit \(name) is without a multiple of 8"),
    Case(
      command: ["allocate", "--scores", "GOOD", "--program", "TABLE", "--budget", "96"],
      table: table("name,alpha,gamma", "0,"),
      message: "alpha of unit \(name) is 0.0, but must be positive"),
    Case(
      command: [
        "allocate", "--statistics", Tool.exampleStatistics, "--bounds", "TABLE", "--budget",
        "40000 parameters", "--unit", "rank", "--utility", "spectrum",
      ],
      table: table("name,lower,upper", "1e6,"),
      message: "the lower bound of unit \(name) is 1000000.0"
    ),
    Case(
      command: ["prune", "--scores", "TABLE", "--sparsity", "0.5"],
      table: scores { "\($0),1,0\n" },
      message: "the number of weights of unit \(name) is 0, but must be between 1 and 2^53"),
    Case(
      command: [
        "prune", "--statistics", Tool.exampleStatistics, "--checkpoint", Tool.exampleModel,
        "--bounds", "TABLE", "--sparsity", "0.5", "--psi", "measured",
      ],
      table: table("name,lower,upper", "0.8,0.3"),
      message: "the range of shares of unit \(name) is 0.8 ... 0.3"),
    Case(
      command: [
        "prune", "--statistics", Tool.exampleStatistics, "--bounds", "TABLE", "--sparsity", "0.4",
        "--pattern", "0:4,2:4",
      ],
      table: table("name,lower,upper", "0.2,0.3"),
      message: "the range of shares of unit \(name) is 0.2 ... 0.3, but must be a range that holds"),
    Case(
      command: ["sweep", "--scores", "GOOD", "--bounds", "TABLE", "--budget", "96", "120"],
      table: table("name,lower,upper", "5,3"),
      message: "the upper bound of unit \(name) is 3.0"),
    Case(
      command: ["sweep", "--scores", "GOOD", "--bounds", "TABLE", "--sparsity", "0.3", "0.5"],
      table: table("name,lower,upper", "0.8,0.3"),
      message: "the range of shares of unit \(name) is 0.8 ... 0.3"),
    Case(
      command: ["transfer", "--source", "GOOD", "--target", "GOOD", "--bounds", "TABLE"]
        + ["--budget", "96"],
      table: table("name,lower,upper", "5,3"),
      message: "the upper bound of unit \(name) is 3.0"),
    Case(
      command: ["transfer", "--source", "TABLE", "--target", "GOOD", "--sparsity", "0.5"]
        + ["--psi", "log"],
      table: scores { "\($0),0,1000\n" },
      message: "what the source plan removes of unit \(name) is all its weights"),
  ]

  @Test("The first bad unit is named, in the same words on any number of ranks", arguments: cases)
  func named(_ example: Case) throws {
    try temporaryFolder { folder in
      let paths = ["TABLE": "\(folder)/table.csv", "GOOD": "\(folder)/good.csv"]
      try DurableFile.write(Array(example.table.utf8), to: "\(folder)/table.csv")
      let good = "name,gain,parameters\n" + Self.good.joined()
      try DurableFile.write(Array(good.utf8), to: "\(folder)/good.csv")
      let output = "\(folder)/out.json"
      let command = example.command.map { paths[$0] ?? $0 } + ["-o", output, "--quiet"]

      let alone = try Tool.run(command)
      #expect(alone.status == 65, "\(alone.errors)\(alone.output)")
      let message = try #require(Self.failure(in: alone))
      #expect(message.hasPrefix("layerbudget: \(example.message)"), "\(message)")
      let divided = try Tool.run(command, ranks: 3)
      #expect(divided.status == 65 && Self.failure(in: divided) == message, "\(divided.errors)")
      #expect(!FileManager.default.fileExists(atPath: output))
    }
  }

  /// The one line that says why the command failed.
  private static func failure(in outcome: Tool.Outcome) -> String? {
    let lines = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("layerbudget: ") }
    return lines.count == 1 ? String(lines[0]) : nil
  }

  @Test("A plan whose units cannot be solved again names the unit")
  func verified() throws {
    try temporaryFolder { folder in
      let (plan, scores) = ("\(folder)/plan.json", "\(folder)/scores.csv")
      try DurableFile.write(Array(("name,gain,parameters\n" + Self.good.joined()).utf8), to: scores)
      let made = try Tool.run(["allocate", "--scores", scores, "--budget", "96", "-o", plan])
      #expect(made.status == 0, "\(made.errors)")
      let text = String(decoding: try contents(plan), as: UTF8.self)
      let unit = try #require(text.range(of: "\"name\" : \(Self.name)"))
      let end = try #require(text[unit.upperBound...].range(of: "}")).lowerBound
      let edited = text[unit.lowerBound..<end].replacing(
        try Regex("\"quality\" : [^,\n]+"), with: { _ in "\"quality\" : 1e+70" })
      try DurableFile.write(
        Array((text[..<unit.lowerBound] + edited + text[end...]).utf8), to: plan)
      for ranks in [1, 3] {
        let bad = try Tool.run(["inspect", plan, "--verify"], ranks: ranks)
        #expect(bad.status == 65)
        #expect(bad.errors.contains("the quality of unit \(Self.name) is 1e+70"), "\(bad.errors)")
      }
    }
  }
}
