internal import TensorFiles

/// Checks that the tensors of one module fit together, before any of them is read.
struct ModuleLayout {
  let name: String
  let keys: [StatisticsQuantity: String]
  let tensors: TensorCollection
  let path: String

  /// The module, or an error that names the key, its shape and the shape it should have.
  func module(metadata: StatisticsMetadata) throws(CurvatureError) -> ModuleStatistics {
    guard let gradientShape = shape(.gradient) else {
      throw .statistics(
        "\(path): module \"\(name)\" has no .gradient (it has "
          + "\(keys.keys.map(\.rawValue).sorted().joined(separator: ", "))); collect it as well, or "
          + "leave the module out with --exclude")
    }
    guard gradientShape.count == 2, !gradientShape.contains(0) else {
      throw mismatch(.gradient, expected: "[out, in] with both above 0")
    }
    let outputs = gradientShape[metadata.transposed ? 1 : 0]
    var inputs = gradientShape[metadata.transposed ? 0 : 1]

    // A separate bias joins as the last column where the input covariance has a row for it.
    var appendsBias = false
    if keys[.biasGradient] != nil {
      try require(.biasGradient, is: [outputs])
      let covariance = self.shape(.activationCovariance)?.first
      appendsBias = covariance == nil || covariance == inputs + 1
      if appendsBias { inputs += 1 }
    }
    try require(.activationCovariance, is: [inputs, inputs])
    try require(.gradientCovariance, is: [outputs, outputs])
    try require(.hessian, is: [outputs * inputs, outputs * inputs])
    let stored = metadata.transposed ? [inputs, outputs] : [outputs, inputs]
    try require(.fisherDiagonal, is: stored)
    if let folds = self.shape(.gradientFolds) {
      guard folds.count == 3, folds[0] >= 2, Array(folds[1...]) == gradientShape else {
        throw mismatch(
          .gradientFolds,
          expected: "[S, \(gradientShape[0]), \(gradientShape[1])] with at least 2 folds")
      }
    }
    return ModuleStatistics(
      name: name, outputs: outputs, inputs: inputs, appendsBias: appendsBias,
      folds: appendsBias ? nil : shape(.gradientFolds)?.first, keys: keys,
      sampleDivisor: try divisor(.sampleCount, metadata.samples, metadata, "num_samples"),
      tokenDivisor: try divisor(.tokenCount, metadata.tokens, metadata, "num_tokens"))
  }

  private func shape(_ quantity: StatisticsQuantity) -> [Int]? {
    keys[quantity].flatMap { tensors[$0]?.shape }
  }

  private func require(
    _ quantity: StatisticsQuantity, is expected: [Int]
  ) throws(CurvatureError) {
    guard let shape = shape(quantity), shape != expected else { return }
    throw mismatch(quantity, expected: "\(expected)")
  }

  private func mismatch(_ quantity: StatisticsQuantity, expected: String) -> CurvatureError {
    let key = keys[quantity] ?? "\(name).\(quantity.rawValue)"
    return .statistics(
      "\(path): \"\(key)\" has shape \(shape(quantity) ?? []), but module \"\(name)\" needs "
        + "\(expected); check weight_layout and whether the bias is appended")
  }

  /// What stored sums are divided by: the module's own count, else the file's.
  private func divisor(
    _ quantity: StatisticsQuantity, _ common: Double?, _ metadata: StatisticsMetadata,
    _ label: String
  ) throws(CurvatureError) -> Double {
    guard metadata.storesSums else { return 1 }
    if let key = keys[quantity] {
      let values: [Int64]
      do { values = try tensors.readIntegers(key) } catch { throw .file(error) }
      guard values.count == 1, values[0] >= 0 else {
        throw .statistics(
          "\(path): \"\(key)\" must hold one count of 0 or more, but holds \(values.prefix(4))")
      }
      // An expert that saw nothing has sums of 0; any divisor keeps them 0.
      return max(Double(values[0]), 1)
    }
    guard let common else {
      throw .statistics(
        "\(path): normalization is \"sum\", but module \"\(name)\" has no .\(label) and the "
          + "metadata has no \(label); add the count or store means")
    }
    return common
  }
}
