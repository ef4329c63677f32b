internal import Curvature

/// A command or option that does not exist, and the one that was most likely meant.
///
/// The parser says so only where nothing else is wrong: it checks what is missing first.
struct MistypedWord {
  /// The word as typed, and what kind of word it is.
  let word: String
  let kind: String
  let nearest: String?
  /// The command whose help lists what there is.
  let command: String

  /// The first one of a command line, or nil where all its words are known.
  init?(in arguments: [String], of tool: CommandDescription) {
    let commands = Dictionary(
      (tool.subcommands ?? []).map { ($0.commandName, $0) }, uniquingKeysWith: { first, _ in first }
    )
    var words = arguments[...]
    if words.first == "help" { words.removeFirst() }
    guard let first = words.first, !first.hasPrefix("-") else { return nil }
    guard let command = commands[first] else {
      let shown = Set(tool.shownSubcommands.map(\.commandName))
      self.init(
        word: first, kind: "command", nearest: Self.nearest(to: first, in: shown),
        command: tool.commandName)
      return
    }
    let known = Set(
      (command.arguments ?? []).flatMap { $0.names ?? [] }.map(\.text) + ["--help", "--version"])
    let options = words.dropFirst().prefix { $0 != "--" }.filter { $0.hasPrefix("--") }
      .map { String($0.prefix { $0 != "=" }) }
    guard let unknown = options.first(where: { !known.contains($0) }) else { return nil }
    self.init(
      word: unknown, kind: "option",
      nearest: Self.nearest(to: unknown, in: known.filter { $0.hasPrefix("--") }),
      command: "\(tool.commandName) \(first)")
  }

  private init(word: String, kind: String, nearest: String?, command: String) {
    self.word = word
    self.kind = kind
    self.nearest = nearest
    self.command = command
  }

  /// The only one that begins so, else the one with the fewest other characters.
  private static func nearest(to word: String, in known: Set<String>) -> String? {
    let longer = known.filter { $0.hasPrefix(word) }
    return longer.count == 1 ? longer.first : NearestName.of(word, in: known)
  }

  var message: String {
    "Error: there is no \(kind) '\(word)'" + (nearest.map { "; did you mean '\($0)'?" } ?? "")
      + "\n  See '\(command) --help' for more information.\n"
  }
}
