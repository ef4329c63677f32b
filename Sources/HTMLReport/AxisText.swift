/// What an axis shows, in as many lines as the width asks for.
enum AxisText {
  static let lineHeight = 16.0

  /// Whole parts are put on one line while they fit.
  static func lines(_ parts: [String], width: Double) -> [String] {
    var lines: [String] = []
    for part in parts where !part.isEmpty {
      if let last = lines.last, TextWidth.of("\(last); \(part)") <= width {
        lines[lines.count - 1] = "\(last); \(part)"
      } else {
        lines.append(part)
      }
    }
    return lines
  }
}

/// How wide text of 12 px is at most in the fonts that browsers take; SVG cannot ask.
enum TextWidth {
  static let character = 7.6

  static func of(_ text: String) -> Double { Double(text.count) * character }

  /// The text, or its end behind an ellipsis where it would be wider than `width`.
  static func fitted(_ text: String, into width: Double) -> String {
    let most = max(Int((width / character + 0.01).rounded(.down)), 2)
    return text.count > most ? "…" + text.suffix(most - 1) : text
  }
}
