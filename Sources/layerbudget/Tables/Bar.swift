/// A horizontal bar of one share, in eighths of a character.
struct Bar {
  private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
  let width: Int
  let color: Bool

  /// - Precondition: share is within 0 ... 1.
  func text(_ share: Double) -> String {
    let units = Int((min(max(share, 0), 1) * Double(width * 8)).rounded())
    let bar = String(repeating: "█", count: units / 8) + Self.eighths[units % 8]
    return color && !bar.isEmpty ? "\u{1B}[36m\(bar)\u{1B}[0m" : bar
  }
}
