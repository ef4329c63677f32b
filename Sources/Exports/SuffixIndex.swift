internal import Curvature

/// Which names a consumer finds that compares the ends of names: `a.b` finds `a.b` and `x.a.b`, but
/// not `xa.b`.
struct SuffixIndex {
  private var owners: [NaturalName: Owners] = [:]
  private let all: Set<NaturalName>

  /// How many names end so, and two of them for a message.
  private struct Owners {
    var count = 0
    var examples: [String] = []
  }

  /// - Complexity: O(names · parts).
  init(_ names: some Sequence<String>) {
    all = Set(names.map(NaturalName.init))
    for name in all.sorted() {
      for suffix in Self.suffixes(of: name.text) {
        owners[suffix, default: Owners()].count += 1
        if owners[suffix]?.examples.count ?? 0 < 2 { owners[suffix]?.examples.append(name.text) }
      }
    }
  }

  /// Refuses a name that finds no module, or more than one.
  func requireOneMatch(_ name: String) throws(ExportError) {
    guard let found = owners[NaturalName(name)] else {
      let nearest = NearestName.of(name, in: Set(all.map(\.text)))
      throw ExportError(
        "module \"\(name)\" is not in the checkpoint"
          + (nearest.map { "; the nearest name is \"\($0)\"" } ?? ""))
    }
    guard found.count == 1 else {
      throw ExportError(
        "the name \"\(name)\" matches \(found.count) modules, \"\(found.examples[0])\" and "
          + "\"\(found.examples[1])\" among them; give full names in the plan, or --checkpoint DIR")
    }
  }

  /// The whole name, and what follows each of its dots.
  private static func suffixes(of name: String) -> [NaturalName] {
    let bytes = name.utf8
    let dots = bytes.indices.filter { bytes[$0] == UInt8(ascii: ".") }
    return [NaturalName(name)]
      + dots.map { NaturalName(String(name[bytes.index(after: $0)...])) }
  }
}
