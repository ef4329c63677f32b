/// Numbers missing from a sequence of units: a sign that a file of the statistics was left behind.
enum LayerGaps {
  /// No model has so many layers: such a number is something else, and no sequence is to be expected.
  private static let tooMany = 1_000_000

  /// One sentence per sequence `<prefix>.<number>` that does not run from 0 without a gap.
  ///
  /// Names whose last part is no number are not looked at. - Complexity: O(K log K).
  static func notes(of names: [String]) -> [String] {
    var numbers: [String: Set<Int>] = [:]
    for name in names {
      guard let dot = name.lastIndex(of: "."), let number = Int(name[name.index(after: dot)...]),
        (0..<Self.tooMany).contains(number)
      else { continue }
      numbers[String(name[..<dot]), default: []].insert(number)
    }
    return numbers.sorted { $0.key < $1.key }.compactMap { prefix, present in
      guard let last = present.max(), present.count <= last else { return nil }
      let missing = (0...last).lazy.filter { !present.contains($0) }
      let first = missing.prefix(5).map(String.init).joined(separator: ", ")
      let count = last + 1 - present.count
      return "\(prefix): \(count) of \(last + 1) numbers up to \(last) are missing "
        + "(\(first)\(count > 5 ? ", ..." : "")); check that all files of the model were collected"
    }
  }
}
