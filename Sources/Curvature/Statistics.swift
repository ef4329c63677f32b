internal import FoundationEssentials
internal import TensorFiles

/// An opened statistics file or folder: which modules it has and what it knows of each.
///
/// Opening reads headers only, checks every name and shape, and is the same on every rank. The
/// modules come in the natural order of their names, whatever the order in the files.
public struct Statistics: Sendable {
  public static let format = "layerbudget.statistics/1"

  let tensors: TensorCollection
  public let modules: [ModuleStatistics]
  /// Whether gradients are stored [in, out] (GPT-2's Conv1D) rather than [out, in].
  let transposed: Bool

  /// Equal for equal contents, however they are divided over files.
  public var headerFingerprint: UInt64 { tensors.headerFingerprint }
  public var totalByteCount: Int { tensors.totalByteCount }

  public init(path: String) throws(CurvatureError) {
    let tensors: TensorCollection
    do { tensors = try TensorCollection(path: path) } catch { throw .file(error) }
    let metadata = try StatisticsMetadata(tensors.metadata, path: path)
    var byModule: [NaturalName: [StatisticsQuantity: String]] = [:]
    for key in tensors.names {
      try Self.file(key, under: key, into: &byModule, path: path)
    }
    for (alias, target) in metadata.aliases {
      guard tensors[target] != nil else {
        throw .statistics(
          "\(path): the alias of \"\(alias)\" names \"\(target)\", which is not in the file; "
            + "collect the statistics again or store the tensor under its own name")
      }
      try Self.file(alias, under: target, into: &byModule, path: path)
    }
    guard !byModule.isEmpty else {
      throw .statistics("\(path): holds no module; a module needs at least <module>.gradient")
    }
    var modules: [ModuleStatistics] = []
    for (name, keys) in byModule.sorted(by: { $0.key < $1.key }) {
      let layout = ModuleLayout(name: name.text, keys: keys, tensors: tensors, path: path)
      modules.append(try layout.module(metadata: metadata))
    }
    self.tensors = tensors
    self.modules = modules
    self.transposed = metadata.transposed
  }

  /// Notes that `key` is answered by the tensor `stored`.
  private static func file(
    _ key: String, under stored: String,
    into byModule: inout [NaturalName: [StatisticsQuantity: String]], path: String
  ) throws(CurvatureError) {
    guard let (module, quantity) = StatisticsQuantity.split(key) else {
      let last = key.split(separator: ".").last.map(String.init) ?? key
      let hint =
        StatisticsQuantity.nearest(to: last).map { "did you mean .\($0.rawValue)?" }
        ?? "known are .gradient, .activation_covariance and others, see docs/notation.md"
      throw .statistics("\(path): unknown key \"\(key)\"; \(hint)")
    }
    let name = NaturalName(module)
    guard byModule[name]?[quantity] == nil else {
      throw .statistics(
        "\(path): module \"\(module)\" has \(quantity.rawValue) twice, as a tensor and as an alias; "
          + "remove one of them")
    }
    byModule[name, default: [:]][quantity] = stored
  }
}

/// The metadata strings of a statistics file, checked.
struct StatisticsMetadata {
  let storesSums: Bool
  let samples: Double?
  let tokens: Double?
  let transposed: Bool
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
    storesSums = try choice("normalization", ["mean", "sum"]) == "sum"
    transposed = try choice("weight_layout", ["out_in", "in_out"]) == "in_out"
    samples = try count("num_samples")
    tokens = try count("num_tokens")
    if let text = metadata["alias"] {
      guard let pairs = try? JSONDecoder().decode([String: String].self, from: Data(text.utf8))
      else {
        throw .statistics(
          "\(path): metadata \"alias\" is not a JSON object of strings; it must look like "
            + "{\"key\": \"other key\"}")
      }
      aliases = pairs.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    } else {
      aliases = []
    }
  }
}
