internal import TensorFiles

/// Opened statistics: which modules there are and what is known of each.
///
/// A safetensors file, a folder of them, or a folder of factors as kronfluence writes it. Opening
/// reads headers and counts only, checks every name and shape, and is the same on every rank. The
/// modules come in the natural order of their names, whatever the order in the files.
public struct Statistics: Sendable {
  public static let format = "layerbudget.statistics/1"

  private(set) var tensors: StatisticsTensors
  public let modules: [ModuleStatistics]
  /// What the files say of themselves, for a reader.
  public let description: [(name: String, value: String)]

  /// Equal for equal contents, however they are divided over files.
  public var headerFingerprint: UInt64 { tensors.headerFingerprint }
  public var totalByteCount: Int { tensors.totalByteCount }

  /// Of headers and a sample of the data, by which hosts notice that they see different files.
  public func sampledFingerprint() throws(CurvatureError) -> UInt64 {
    do throws(TensorFileError) { return try tensors.sampledFingerprint() } catch {
      throw .file(error)
    }
  }

  public var tensorCount: Int { tensors.keys.count }

  /// Whether a folder is one of kronfluence's factors, which carry no format of ours.
  public static func isKronfluenceFolder(_ path: String) -> Bool {
    ((try? FolderListing.names(in: path)) ?? []).contains(KronfluenceArguments.fileName)
  }

  /// The same statistics, with checksums taken while values are read.
  func notingContents() -> Statistics {
    var noting = self
    noting.tensors = tensors.notingContents()
    return noting
  }

  /// Opens and checks the modules that `selection` chooses by name; a module that is left out may be
  /// incomplete.
  public init(
    path: String, choosing selection: UnitSelection = UnitSelection()
  ) throws(CurvatureError) {
    let source =
      if let folder = try KronfluenceFolder(path: path) {
        try folder.source()
      } else {
        try StatisticsSource(path: path)
      }
    var modules: [ModuleStatistics] = []
    let all = source.keys.sorted { $0.key < $1.key }
    let chosen = Set(try selection.chosen(all.map(\.key.text)).map(NaturalName.init))
    for (name, keys) in all where chosen.contains(name) {
      let layout = ModuleLayout(
        name: name.text, keys: keys, tensors: source.tensors, path: path,
        advice: source.adviceOnGradient)
      modules.append(try layout.module(source.conventions))
    }
    tensors = source.tensors
    self.modules = modules
    description = source.description
  }
}

/// Where statistics come from, before modules are made of them: keys, tensors, conventions.
struct StatisticsSource {
  let tensors: StatisticsTensors
  /// The stored key of each quantity of each module, aliases resolved.
  var keys: [NaturalName: [StatisticsQuantity: String]] = [:]
  let conventions: StatisticsConventions
  var description: [(name: String, value: String)]
  /// What to do when a module has no gradient.
  var adviceOnGradient = "collect it as well, or leave the module out with --exclude"

  init(
    tensors: StatisticsTensors, keys: [NaturalName: [StatisticsQuantity: String]],
    conventions: StatisticsConventions, description: [(name: String, value: String)],
    adviceOnGradient: String
  ) {
    self.tensors = tensors
    self.keys = keys
    self.conventions = conventions
    self.description = description
    self.adviceOnGradient = adviceOnGradient
  }

  /// A file or folder of `layerbudget.statistics/1`.
  init(path: String) throws(CurvatureError) {
    let collection: TensorCollection
    do { collection = try TensorCollection(path: path) } catch { throw .file(error) }
    let metadata = try StatisticsMetadata(collection.metadata, path: path)
    tensors = StatisticsTensors(collection)
    conventions = metadata.conventions
    description = [
      "model", "loss", "normalization", "num_samples", "num_tokens", "weight_layout", "folds",
    ].compactMap { key in collection.metadata[key].map { (key, $0) } }
    for key in collection.names { try note(key, storedAs: key, path: path) }
    for (alias, target) in metadata.aliases {
      guard collection[target] != nil else {
        throw .statistics(
          "\(path): the alias of \"\(alias)\" names \"\(target)\", which is not in the file; "
            + "collect the statistics again or store the tensor under its own name")
      }
      try note(alias, storedAs: target, path: path)
    }
    guard !keys.isEmpty else {
      throw .statistics("\(path): holds no module; a module needs at least <module>.gradient")
    }
  }

  /// Notes that `key` is answered by the tensor `stored`.
  private mutating func note(
    _ key: String, storedAs stored: String, path: String
  ) throws(CurvatureError) {
    guard let (module, quantity) = StatisticsQuantity.split(key) else {
      let last = key.split(separator: ".").last.map(String.init) ?? key
      let hint =
        StatisticsQuantity.nearest(to: last).map { "did you mean .\($0.rawValue)?" }
        ?? "known are .gradient, .activation_covariance and others, see docs/notation.md"
      throw .statistics("\(path): unknown key \"\(key)\"; \(hint)")
    }
    let name = NaturalName(module)
    guard keys[name]?[quantity] == nil else {
      throw .statistics(
        "\(path): module \"\(module)\" has \(quantity.rawValue) twice, as a tensor and as an alias; "
          + "remove one of them")
    }
    keys[name, default: [:]][quantity] = stored
  }
}
