internal import TensorFiles

/// Checks that the tensors of one module fit together, before any of them is read.
struct ModuleLayout {
  let name: String
  let keys: [StatisticsQuantity: String]
  let tensors: StatisticsTensors
  let path: String
  /// What to do when the gradient is missing.
  let advice: String

  /// The module, or an error that names the key, its shape and the shape it should have.
  func module(_ conventions: StatisticsConventions) throws(CurvatureError) -> ModuleStatistics {
    let stored = try gradientShape()
    let outputs = stored[conventions.transposed ? 1 : 0]
    var inputs = stored[conventions.transposed ? 0 : 1]

    // A separate bias joins as the last column where the curvature has a row for it, or where
    // nothing says that it has not.
    var (appendsBias, leavesOutBias) = (false, false)
    if keys[.biasGradient] != nil {
      try require(.biasGradient, is: [[outputs]])
      let width = curvatureWidth(outputs: outputs, transposed: conventions.transposed)
      appendsBias = width == nil || width == inputs + 1
      leavesOutBias = !appendsBias
      if appendsBias { inputs += 1 }
    }
    try requireShapes(
      outputs: outputs, inputs: inputs, plainInputs: inputs - (appendsBias ? 1 : 0),
      transposed: conventions.transposed)
    let folds = try foldCount(
      outputs: outputs, inputs: inputs, appendsBias: appendsBias,
      transposed: conventions.transposed)
    let counts = try ModuleCounts(
      name: name, keys: keys, tensors: tensors, path: path, conventions: conventions)
    return ModuleStatistics(
      name: name, outputs: outputs, inputs: inputs, appendsBias: appendsBias,
      leavesOutBias: leavesOutBias, folds: folds, samples: counts.samples, tokens: counts.tokens,
      keys: keys, shapes: keys.compactMapValues { tensors[$0]?.shape }, divisors: counts.divisors,
      transposed: conventions.transposed)
  }

  /// Of the stored gradient, or of the one that raw captures give.
  private func gradientShape() throws(CurvatureError) -> [Int] {
    if let shape = shape(.gradient) {
      guard shape.count == 2, !shape.contains(0) else {
        throw mismatch(.gradient, expected: "[out, in] with both above 0")
      }
      return shape
    }
    if let inputs = shape(.tokenInputs), let outputs = shape(.tokenOutputGradients),
      inputs.count == 2, outputs.count == 2, inputs[1] > 0, outputs[1] > 0
    {
      return [outputs[1], inputs[1]]
    }
    throw .statistics(
      "\(path): module \"\(name)\" has no .gradient (it has "
        + "\(keys.keys.map(\.rawValue).sorted().joined(separator: ", "))); \(advice)")
  }

  /// How many columns the curvature was collected for.
  private func curvatureWidth(outputs: Int, transposed: Bool) -> Int? {
    if let order = shape(.activationCovariance)?.first { return order }
    if let order = shape(.activationEigenvectors)?.first { return order }
    if let columns = shape(.lambdaMatrix)?.last { return columns }
    if let fisher = shape(.fisherDiagonal), fisher.count == 2 { return fisher[transposed ? 0 : 1] }
    if let order = shape(.hessian)?.first { return order / outputs }
    return nil
  }

  private func requireShapes(
    outputs: Int, inputs: Int, plainInputs: Int, transposed: Bool
  ) throws(CurvatureError) {
    try require(.activationCovariance, is: [[inputs, inputs], [inputs]])
    try require(.gradientCovariance, is: [[outputs, outputs], [outputs]])
    try require(.activationEigenvectors, is: [[inputs, inputs]])
    try require(.gradientEigenvectors, is: [[outputs, outputs]])
    try require(.lambdaMatrix, is: [[outputs, inputs]])
    try require(.hessian, is: [[outputs * inputs, outputs * inputs]])
    try require(.fisherDiagonal, is: [transposed ? [inputs, outputs] : [outputs, inputs]])
    if let tokens = shape(.tokenInputs)?.first {
      // Without a column for the bias: the reader knows it is 1.
      try require(.tokenInputs, is: [[tokens, inputs], [tokens, inputs - 1]])
      try require(.tokenOutputGradients, is: [[tokens, outputs]])
    }
    if let gram = shape(.gram), gram.count != 2 || gram[0] != gram[1] || gram[0] == 0 {
      throw mismatch(.gram, expected: "[N, N]")
    }
  }

  private func foldCount(
    outputs: Int, inputs: Int, appendsBias: Bool, transposed: Bool
  ) throws(CurvatureError) -> Int? {
    guard let folds = shape(.gradientFolds) else { return nil }
    func rest(_ inputs: Int) -> [Int] { transposed ? [inputs, outputs] : [outputs, inputs] }
    let isComplete = Array(folds.dropFirst()) == rest(inputs)
    let leavesOutBias = appendsBias && Array(folds.dropFirst()) == rest(inputs - 1)
    let limit = 2...1024
    guard folds.count == 3, limit.contains(folds[0]), isComplete || leavesOutBias else {
      throw mismatch(
        .gradientFolds,
        expected: "[S, \(rest(inputs).map(String.init).joined(separator: ", "))] with "
          + "\(limit.lowerBound) to \(limit.upperBound) folds")
    }
    return isComplete ? folds[0] : nil
  }

  private func shape(_ quantity: StatisticsQuantity) -> [Int]? {
    keys[quantity].flatMap { tensors[$0]?.shape }
  }

  private func require(
    _ quantity: StatisticsQuantity, is allowed: [[Int]]
  ) throws(CurvatureError) {
    guard let shape = shape(quantity), !allowed.contains(shape) else { return }
    throw mismatch(quantity, expected: allowed.map { "\($0)" }.joined(separator: " or "))
  }

  private func mismatch(_ quantity: StatisticsQuantity, expected: String) -> CurvatureError {
    let key = keys[quantity] ?? "\(name).\(quantity.rawValue)"
    return .statistics(
      "\(path): \"\(key)\" has shape \(shape(quantity) ?? []), but module \"\(name)\" needs "
        + "\(expected); check weight_layout and whether the bias is appended")
  }
}
