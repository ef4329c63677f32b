/// Names made to fit a column: without what all of them begin with, then without their middle.
enum ShortNames {
  /// - Returns: as many names, none longer than `width` characters. - Complexity: O(all characters)
  static func of(_ names: [String], width: Int) -> [String] {
    guard names.contains(where: { $0.count > width }) else { return names }
    let common = commonStart(of: names)
    return names.map { name in
      let short = common > 1 ? "…" + name.dropFirst(common) : name
      return short.count > width ? withoutMiddle(short, width: width) : short
    }
  }

  /// Characters that all names begin with, up to and including a dot: `model.layers.`.
  private static func commonStart(of names: [String]) -> Int {
    guard names.count > 1, let first = names.first else { return 0 }
    var common = first[...]
    for name in names.dropFirst() {
      let same = zip(common, name).prefix { $0 == $1 }.count
      common = common.prefix(same)
    }
    return common.lastIndex(of: ".").map { common.distance(from: common.startIndex, to: $0) + 1 }
      ?? 0
  }

  private static func withoutMiddle(_ name: String, width: Int) -> String {
    guard width > 1 else { return String(name.prefix(max(0, width))) }
    // The end tells modules of a layer apart and gets the odd character.
    let head = (width - 1) / 2
    return name.prefix(head) + "…" + name.suffix(width - 1 - head)
  }
}
