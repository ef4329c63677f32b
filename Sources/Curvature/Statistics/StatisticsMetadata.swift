internal import FoundationEssentials

/// How the numbers of a statistics file are meant: what is a sum, over how many, in which layout.
struct StatisticsConventions: Sendable {
  /// Quantities that are stored as sums and must be divided by their counts.
  var sums: Set<StatisticsQuantity> = []
  /// N and T of the whole file, where it says so; a module's own counts go first.
  var samples: Double?
  var tokens: Double?
  /// Whether gradients are stored [in, out] (GPT-2's Conv1D) rather than [out, in].
  var transposed = false
}

/// The metadata strings of a statistics file, checked.
struct StatisticsMetadata {
  let conventions: StatisticsConventions
  let aliases: [(String, String)]

  init(_ metadata: [String: String], path: String) throws(CurvatureError) {
    func choice(_ key: String, _ allowed: [String]) throws(CurvatureError) -> String {
      let value = metadata[key] ?? allowed[0]
      guard allowed.contains(value) else {
        throw .statistics(
          "\(path): metadata \"\(key)\" is \"\(value)\", but must be "
            + allowed.joined(separator: " or ") + "; correct the collector's output")
      }
      return value
    }
    func count(_ key: String) throws(CurvatureError) -> Double? {
      guard let text = metadata[key] else { return nil }
      guard let value = Int(text), value > 0 else {
        throw .statistics(
          "\(path): metadata \"\(key)\" is \"\(text)\", but must be a whole number above 0; "
            + "correct the collector's output")
      }
      return Double(value)
    }
    _ = try choice("format", [Statistics.format])
    let storesSums = try choice("normalization", ["mean", "sum"]) == "sum"
    conventions = StatisticsConventions(
      sums: storesSums ? StatisticsQuantity.means : [], samples: try count("num_samples"),
      tokens: try count("num_tokens"),
      transposed: try choice("weight_layout", ["out_in", "in_out"]) == "in_out")
    aliases = try Self.aliases(metadata["alias"], path: path)
  }

  private static func aliases(
    _ text: String?, path: String
  ) throws(CurvatureError) -> [(String, String)] {
    guard let text else { return [] }
    guard let pairs = try? JSONDecoder().decode([String: String].self, from: Data(text.utf8)) else {
      throw .statistics(
        "\(path): metadata \"alias\" is not a JSON object of strings; it must look like "
          + "{\"key\": \"other key\"}")
    }
    return pairs.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
