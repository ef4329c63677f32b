internal import ArgumentParser
internal import PlanFiles

/// A command as its help describes it: the source of the manual and of suggestions.
///
/// The fields are those of ArgumentParser's `--experimental-dump-help`.
struct CommandDescription: Decodable {
  struct Argument: Decodable {
    struct Name: Decodable {
      let kind: String
      let name: String

      /// As typed: `--output` or `-o`.
      var text: String { (kind == "long" ? "--" : "-") + name }
    }
    let kind: String
    let shouldDisplay: Bool
    let sectionTitle: String?
    let isOptional: Bool
    let isRepeating: Bool
    var names: [Name]?
    let valueName: String?
    let defaultValue: String?
    let allValues: [String]?
    let abstract: String?
  }
  let commandName: String
  let shouldDisplay: Bool?
  let abstract: String?
  let discussion: String?
  let subcommands: [CommandDescription]?
  let arguments: [Argument]?

  /// What people are told of: neither hidden commands nor `help`, which is in every manual as `--help`.
  var shownSubcommands: [CommandDescription] {
    (subcommands ?? []).filter { $0.shouldDisplay != false && $0.commandName != "help" }
  }

  /// A flag and its `--no-` are one.
  var shownArguments: [Argument] {
    var shown: [Argument] = []
    for argument in (arguments ?? []).filter(\.shouldDisplay) {
      if let last = shown.last?.names?.first?.name, let name = argument.names?.first,
        name.name == "no-" + last
      {
        shown[shown.count - 1].names?.append(name)
      } else {
        shown.append(argument)
      }
    }
    return shown
  }

  /// The whole tool.
  static func ofTool() -> CommandDescription? {
    struct Dump: Decodable { let command: CommandDescription }
    let dump = try? DocumentCoding.decode(
      Dump.self, from: Array(LayerBudget._dumpHelp().utf8), source: "the help")
    return dump?.command
  }

  /// The discussion's paragraphs, and its examples: the lines that are indented.
  var prose: (paragraphs: [String], examples: [String]) {
    var (paragraphs, examples): ([String], [String]) = ([], [])
    var isNew = true
    for line in (discussion ?? "").split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty {
        isNew = true
      } else if line.hasPrefix("  ") {
        examples.append(String(line.dropFirst(2)))
      } else if isNew {
        paragraphs.append(String(line))
        isNew = false
      } else {
        paragraphs[paragraphs.count - 1] += " " + line
      }
    }
    return (paragraphs, examples)
  }
}
