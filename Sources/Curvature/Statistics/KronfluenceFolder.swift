internal import FoundationEssentials
internal import TensorFiles

/// A folder of factors as kronfluence 1.0 writes it, plus the mean gradient that it does not store.
///
/// One safetensors file per factor, its keys the names of the modules: sums over tokens
/// (`activation_covariance`, `gradient_covariance`) or samples (`lambda_matrix`), their counts, and
/// the eigenvectors of the means, as columns. A run in partitions writes
/// `<factor>_data_partition{i}_module_partition{j}` files and, once all exist, their aggregate:
/// where that is present the partitions are not read, else they are summed, never both. In a run
/// of strategy `diagonal` the lambda matrix is the Fisher diagonal.
///
/// Beside the factors lie `mean_gradient.safetensors` and, if gains are to be cross-fitted,
/// `gradient_folds.safetensors`; `launch/collect_statistics.py --from-kronfluence` writes both.
struct KronfluenceFolder {
  private let path: String
  private let fileNames: [String]
  private let arguments: KronfluenceArguments

  /// Nil where the path is not such a folder.
  init?(path: String) throws(CurvatureError) {
    do {
      guard try FolderListing.isFolder(path) else { return nil }
      fileNames = try FolderListing.names(in: path)
    } catch {
      throw .file(error)
    }
    guard fileNames.contains(KronfluenceArguments.fileName) else { return nil }
    self.path = path
    arguments = try KronfluenceArguments(folder: path)
  }

  /// The tensors under the keys of our own files, `<module>.<quantity>`.
  func source() throws(CurvatureError) -> StatisticsSource {
    var collections: [TensorCollection] = []
    var parts: [NaturalName: [StatisticsTensors.Part]] = [:]
    var keys: [NaturalName: [StatisticsQuantity: String]] = [:]
    for (stem, quantity) in factors {
      for file in try files(of: stem) {
        let collection: TensorCollection
        do { collection = try TensorCollection(path: "\(path)/\(file)") } catch {
          throw .file(error)
        }
        for name in collection.names {
          let key = "\(name).\(quantity.rawValue)"
          let part = StatisticsTensors.Part(collection: collections.count, name: name)
          try requireEqualShapes(collection, part, like: parts[NaturalName(key)], collections)
          parts[NaturalName(key), default: []].append(part)
          keys[NaturalName(name), default: [:]][quantity] = key
        }
        collections.append(collection)
      }
    }
    guard keys.values.contains(where: { $0[.gradient] != nil }) else {
      throw .statistics(
        "\(path): has factors of kronfluence but no mean_gradient.safetensors, which kronfluence "
          + "does not write; make it with launch/collect_statistics.py --from-kronfluence \(path)")
    }
    return StatisticsSource(
      tensors: StatisticsTensors(collections, parts: parts), keys: keys,
      conventions: StatisticsConventions(
        sums: [.activationCovariance, .gradientCovariance, .lambdaMatrix, .fisherDiagonal],
        samples: try datasetSize()),
      description: [
        ("written by", "kronfluence, strategy \(arguments.strategy)"),
        ("fisher", arguments.usesEmpiricalFisher ? "empirical" : "sampled labels"),
      ],
      adviceOnGradient:
        "mean_gradient.safetensors lacks it; make that file anew with "
        + "launch/collect_statistics.py --from-kronfluence, or leave the module out with --exclude")
  }

  /// File stems and what they mean here. Eigenvalues are not read: they follow from the covariances.
  private var factors: [(stem: String, quantity: StatisticsQuantity)] {
    let isDiagonal = arguments.strategy == "diagonal"
    return [
      ("mean_gradient", .gradient), ("gradient_folds", .gradientFolds),
      ("activation_covariance", .activationCovariance),
      ("gradient_covariance", .gradientCovariance),
      ("num_activation_covariance_processed", .activationCovarianceCount),
      ("num_gradient_covariance_processed", .gradientCovarianceCount),
      ("activation_eigenvectors", .activationEigenvectors),
      ("gradient_eigenvectors", .gradientEigenvectors),
      ("lambda_matrix", isDiagonal ? .fisherDiagonal : .lambdaMatrix),
      ("num_lambda_processed", .lambdaCount),
    ]
  }

  /// The aggregate's file, else those of all partitions, which must be complete.
  private func files(of stem: String) throws(CurvatureError) -> [String] {
    let aggregate = "\(stem).safetensors"
    if fileNames.contains(aggregate) { return [aggregate] }
    let found = fileNames.filter { $0.hasPrefix("\(stem)_data_partition") }
    guard !found.isEmpty else { return [] }
    let (data, modules) = arguments.partitions(isLambda: stem.contains("lambda"))
    let largest = 10_000
    guard (1...largest).contains(data), (1...largest).contains(modules) else {
      throw .statistics(
        "\(path)/\(KronfluenceArguments.fileName): \(data) partitions of the data and \(modules) of the "
          + "modules, but both must be between 1 and \(largest); is it the file of this run?")
    }
    let expected = (0..<data).flatMap { i in
      (0..<modules).map { "\(stem)_data_partition\(i)_module_partition\($0).safetensors" }
    }
    if let missing = expected.first(where: { !found.contains($0) }) {
      throw .statistics(
        "\(path): \(missing) is missing of \(expected.count) partitions (\(data) of the data, "
          + "\(modules) of the modules), so the sums are incomplete; finish the run of kronfluence")
    }
    if let extra = found.first(where: { !expected.contains($0) }) {
      throw .statistics(
        "\(path): \(extra) does not belong to the \(expected.count) partitions that "
          + "\(KronfluenceArguments.fileName) names (\(data) of the data, \(modules) of the "
          + "modules); keep the files of one run in a folder of their own")
    }
    return expected
  }

  private func requireEqualShapes(
    _ collection: TensorCollection, _ part: StatisticsTensors.Part,
    like earlier: [StatisticsTensors.Part]?, _ collections: [TensorCollection]
  ) throws(CurvatureError) {
    guard let first = earlier?.first, let shape = collections[first.collection][first.name]?.shape,
      let other = collection[part.name]?.shape, other != shape
    else { return }
    throw .statistics(
      "\(path): \"\(part.name)\" has shape \(shape) in \(collections[first.collection].fileName(holding: first.name)) "
        + "but \(other) in \(collection.fileName(holding: part.name)); partitions of one run agree")
  }

  /// The samples behind the covariances, where kronfluence noted them.
  private func datasetSize() throws(CurvatureError) -> Double? {
    struct Metadata: Decodable {
      let size: Int?
      enum CodingKeys: String, CodingKey { case size = "dataset_size" }
    }
    for name in ["lambda_dataset_metadata.json", "covariance_dataset_metadata.json"]
    where fileNames.contains(name) {
      let metadata: Metadata = try KronfluenceArguments.decode("\(path)/\(name)")
      if let size = metadata.size, size > 0 { return Double(size) }
    }
    return nil
  }
}

/// `factor_arguments.json`: how kronfluence was told to compute the factors.
struct KronfluenceArguments: Decodable {
  static let fileName = "factor_arguments.json"

  let strategy: String
  let usesEmpiricalFisher: Bool
  private let covarianceDataPartitions: Int?
  private let covarianceModulePartitions: Int?
  private let lambdaDataPartitions: Int?
  private let lambdaModulePartitions: Int?

  enum CodingKeys: String, CodingKey {
    case strategy
    case usesEmpiricalFisher = "use_empirical_fisher"
    case covarianceDataPartitions = "covariance_data_partitions"
    case covarianceModulePartitions = "covariance_module_partitions"
    case lambdaDataPartitions = "lambda_data_partitions"
    case lambdaModulePartitions = "lambda_module_partitions"
  }

  init(folder: String) throws(CurvatureError) {
    let path = "\(folder)/\(Self.fileName)"
    self = try Self.decode(path)
    let known = ["identity", "diagonal", "kfac", "ekfac"]
    guard known.contains(strategy) else {
      throw .statistics(
        "\(path): strategy \"\(strategy)\" is none of \(known.joined(separator: ", ")); "
          + "kronfluence 1.0 knows no other")
    }
  }

  /// Into how many parts the data and the modules were divided.
  func partitions(isLambda: Bool) -> (data: Int, modules: Int) {
    isLambda
      ? (lambdaDataPartitions ?? 1, lambdaModulePartitions ?? 1)
      : (covarianceDataPartitions ?? 1, covarianceModulePartitions ?? 1)
  }

  static func decode<Document: Decodable>(_ path: String) throws(CurvatureError) -> Document {
    do {
      return try JSONDecoder().decode(Document.self, from: Data(contentsOf: URL(filePath: path)))
    } catch {
      throw .statistics("\(path): cannot be read as kronfluence 1.0 writes it: \(error)")
    }
  }
}
