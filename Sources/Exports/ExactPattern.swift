/// Regular expressions that match one name and nothing else.
enum ExactPattern {
  /// Every character that means something to Python's `re`, escaped; dots above all.
  static func escaped(_ name: String) -> String {
    var escaped = ""
    for scalar in name.unicodeScalars {
      if #"\.^$*+?{}[]|()"#.unicodeScalars.contains(scalar) { escaped += "\\" }
      escaped.unicodeScalars.append(scalar)
    }
    return escaped
  }
}
