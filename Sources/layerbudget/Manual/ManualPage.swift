internal import Workflow

/// A manual page in the macros of man(7), which every roff knows.
struct ManualPage {
  let name: String
  private let command: CommandDescription
  /// Nil for the page of the tool itself.
  private let tool: CommandDescription?
  private let date: String

  /// - Parameter tool: nil for the page of the tool itself.
  init(of command: CommandDescription, in tool: CommandDescription?, date: String) {
    name = (tool.map { $0.commandName + "-" } ?? "") + command.commandName
    self.command = command
    self.tool = tool
    self.date = date
  }

  var text: String {
    let title = name.uppercased()
    let source = "layerbudget \(LayerBudgetVersion.current)"
    let abstract = command.abstract ?? ""
    let phrase = abstract.hasSuffix(".") ? String(abstract.dropLast()) : abstract
    let prose = command.prose
    var lines = [
      ".TH \(title) 1 \"\(date)\" \"\(source)\"", ".SH NAME",
      "\(Roff.escaped(name)) \\- \(Roff.escaped(phrase))", ".SH SYNOPSIS",
    ]
    lines += synopsis + [".SH DESCRIPTION"] + Roff.filled(abstract)
    for paragraph in prose.paragraphs { lines += [".PP"] + Roff.filled(paragraph) }
    lines += subcommands + options
    if !prose.examples.isEmpty {
      lines += [".SH EXAMPLES", ".nf"] + prose.examples.map(Roff.line) + [".fi"]
    }
    lines += tool == nil ? Self.environment + Self.exitStatus : []
    return (lines + seeAlso).map { $0 + "\n" }.joined()
  }

  // MARK: Sections

  private var synopsis: [String] {
    let called = (tool.map { $0.commandName + " " } ?? "") + command.commandName
    let start = ".B \(Roff.escaped(called))"
    guard tool != nil else {
      let rest = "\\fICOMMAND\\fR [\\fIoptions\\fR]"
      return [start, rest, ".br", ".B mpirun \\-n", "\\fIRANKS\\fR", start, rest]
    }
    let needed = command.shownArguments.filter { !$0.isOptional }.map { argument in
      argument.kind == "positional" ? Self.value(of: argument) : Self.usage(argument)
    }
    return [start, (needed + ["[\\fIoptions\\fR]"]).joined(separator: " ")]
  }

  private var subcommands: [String] {
    let commands = command.shownSubcommands
    guard !commands.isEmpty else { return [] }
    return [".SH COMMANDS"]
      + commands.flatMap { sub in
        [
          ".TP", "\\fB\(Roff.escaped(sub.commandName))\\fR",
        ] + Roff.filled(sub.abstract ?? "") + [
          "See \\fB\(Roff.escaped("\(command.commandName)-\(sub.commandName)"))\\fR(1)."
        ]
      }
  }

  /// Options under the titles of the help, those without a title first.
  private var options: [String] {
    var titles: [String?] = [nil]
    for argument in command.shownArguments where !titles.contains(argument.sectionTitle) {
      titles.append(argument.sectionTitle)
    }
    return titles.flatMap { title in
      let own = command.shownArguments.filter { $0.sectionTitle == title }
      guard !own.isEmpty else { return [String]() }
      return [title.map { ".SS \(Roff.escaped($0))" } ?? ".SH OPTIONS"]
        + own.flatMap(Self.paragraph)
    }
  }

  private static func paragraph(_ argument: CommandDescription.Argument) -> [String] {
    var facts: [String] = []
    if let values = argument.allValues, !values.isEmpty {
      facts.append("values: " + values.joined(separator: ", "))
    }
    if let value = argument.defaultValue { facts.append("default: \(value)") }
    let text = [
      argument.abstract ?? "", facts.isEmpty ? "" : "(\(facts.joined(separator: "; ")))",
    ].filter { !$0.isEmpty }
    return [".TP", argument.kind == "positional" ? value(of: argument) : usage(argument)]
      + Roff.filled(text.joined(separator: " "))
  }

  private static func usage(_ argument: CommandDescription.Argument) -> String {
    let names = (argument.names ?? []).map { "\\fB\(Roff.escaped($0.text))\\fR" }
      .joined(separator: ", ")
    return argument.kind == "option" ? names + " " + value(of: argument) : names
  }

  private static func value(of argument: CommandDescription.Argument) -> String {
    "\\fI\(Roff.escaped((argument.valueName ?? "value").uppercased()))\\fR"
      + (argument.isRepeating ? " ..." : "")
  }

  private static let environment = [
    ".SH ENVIRONMENT", ".TP", "\\fBNO_COLOR\\fR", "Where it is set, nothing is coloured.", ".TP",
    "\\fBCOLUMNS\\fR, \\fBLINES\\fR", "The size of the terminal, where it is not what it says.",
  ]

  private static let exitStatus =
    [".SH EXIT STATUS"]
    + ExitCode.allCases.flatMap { [".TP", "\\fB\($0.rawValue)\\fR", $0.meaning + "."] }

  private var seeAlso: [String] {
    let others = tool.map { tool in
      [tool.commandName]
        + tool.shownSubcommands.map { "\(tool.commandName)-\($0.commandName)" }
        .filter { $0 != name }
    }
    let pages =
      (others ?? command.shownSubcommands.map { "\(name)-\($0.commandName)" }) + ["mpirun"]
    return [
      ".SH SEE ALSO", pages.map { "\\fB\(Roff.escaped($0))\\fR(1)" }.joined(separator: ",\n"),
    ]
  }
}

extension ExitCode {
  /// For the manual; docs/exit-codes.md says more.
  var meaning: String {
    switch self {
    case .good: "The result is written"
    case .internalFault: "A fault of ours; please report it"
    case .replan: "transfer: the plan does not hold on the target, plan again"
    case .usage: "The command line is wrong"
    case .badData: "An input is there and does not hold what it must"
    case .missingInput: "An input is not there or cannot be read"
    case .infeasible: "No plan within the bounds meets the budget"
    case .cannotWrite: "The output cannot be written"
    case .interrupted: "Stopped between two units; the same command goes on from there"
    case .misconfigured: "Ranks, hosts or launcher do not fit together"
    }
  }
}
