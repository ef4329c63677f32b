/// Text for roff: what it would take for commands is escaped.
enum Roff {
  /// Dashes stay dashes, so that an option can be copied out of the manual.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\\": result += "\\e"
      case "-": result += "\\-"
      default: result.append(character)
      }
    }
    return result
  }

  /// A line of its own: one that begins with a dot or a quote would be a command.
  static func line(_ text: String) -> String {
    let text = escaped(text)
    return text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" + text : text
  }

  /// Running text, in source lines of at most 78 bytes where words allow.
  static func filled(_ text: String) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, escaped(last).utf8.count + escaped(String(word)).utf8.count < 76 {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines.map(line)
  }
}
