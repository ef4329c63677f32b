/// The known name that a mistyped one most resembles.
public enum NearestName {
  /// Nil where none is similar. - Complexity: O(number of names · length²); only used once an error is
  /// certain.
  public static func of(_ name: String, in names: Set<String>) -> String? {
    let ranked = names.map { (name: $0, distance: editDistance($0, name)) }
    let best = ranked.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
    // Names that share nothing are as far apart as the longer one is long.
    let most = min(max(3, name.utf8.count / 3), name.utf8.count - 1)
    return best.flatMap { $0.distance <= most ? $0.name : nil }
  }
}
