/// What a colour stands for in a chart.
///
/// Blue and orange of Okabe and Ito's palette, in two strengths, can be told apart by colour-blind
/// readers and in grey print; nothing is said by colour alone.
enum Palette: String, CaseIterable {
  case surface, ink, muted, grid
  /// What the plan gives or found.
  case answer
  /// From least to largest of units that share a mark.
  case range
  /// What it is compared with.
  case compared

  /// On paper and in light mode.
  var light: String {
    switch self {
    case .surface: "#ffffff"
    case .ink: "#1b1f24"
    case .muted: "#57606a"
    case .grid: "#d8dee4"
    case .answer: "#0072b2"
    case .range: "#a9cfe6"
    case .compared: "#b34a00"
    }
  }

  var dark: String {
    switch self {
    case .surface: "#14171b"
    case .ink: "#e8eaed"
    case .muted: "#a2abb5"
    case .grid: "#343b43"
    case .answer: "#56b4e9"
    case .range: "#2b5c79"
    case .compared: "#f0a23c"
    }
  }

  /// The colour in rules of the page, which follow the reader's mode.
  var variable: String { "var(--\(rawValue))" }
}
