/// Names of units short enough for an axis: without what all of them begin with, and cut on the left,
/// because names of modules differ at their ends.
struct UnitLabels: Sendable {
  /// What all names begin with, up to a dot.
  let prefix: String

  init(_ names: [String]) {
    guard names.count > 1, var common = names.first.map({ Array($0.unicodeScalars) }) else {
      prefix = ""
      return
    }
    for name in names.dropFirst() {
      let scalars = name.unicodeScalars
      common.removeSubrange(zip(common, scalars).prefix { $0 == $1 }.count...)
    }
    guard let dot = common.lastIndex(of: ".") else {
      prefix = ""
      return
    }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: common[...dot])
    prefix = String(text)
  }

  /// What is left out, for the axis.
  var note: String { prefix.isEmpty ? "" : "units of \(prefix)" }

  func label(_ name: String, characters limit: Int) -> String {
    let rest = String(
      String.UnicodeScalarView(name.unicodeScalars.dropFirst(prefix.unicodeScalars.count)))
    return rest.count > limit ? "…" + rest.suffix(max(limit - 1, 1)) : rest
  }
}
