internal import DenseLinearAlgebra
internal import TensorFiles

extension Statistics {
  /// The mean gradient as [outputs, inputs], the bias appended where it takes part.
  ///
  /// Where none is stored, that of the raw captures: Σ d xᵀ over all tokens, divided by the samples.
  func gradient<Element: Readable>(
    of module: ModuleStatistics, as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element> {
    guard let key = module.key(.gradient) else { return try capturedGradient(of: module, as: type) }
    let columns = module.inputs - (module.appendsBias ? 1 : 0)
    var weights = try matrix(
      key, rows: module.transposed ? columns : module.outputs,
      columns: module.transposed ? module.outputs : columns, as: type)
    if module.transposed { weights = weights.transposed() }
    if module.appendsBias {
      let bias = try matrix(
        requiredKey(.biasGradient, of: module), rows: module.outputs, columns: 1, as: type)
      var joined = Matrix<Element>(rows: module.outputs, columns: module.inputs)
      for row in 0..<module.outputs {
        for column in 0..<columns { joined[row, column] = weights[row, column] }
        joined[row, columns] = bias[row, 0]
      }
      weights = joined
    }
    let divisor = module.divisor(of: .gradient)
    if divisor != 1 { weights.scale(by: Element(1 / divisor)) }
    return weights
  }

  private func capturedGradient<Element: Readable>(
    of module: ModuleStatistics, as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element> {
    let samples = try TokenSamples(of: module, in: self)
    let inputs = try matrix(
      requiredKey(.tokenInputs, of: module), rows: samples.tokens, columns: module.inputs, as: type)
    let outputs = try matrix(
      requiredKey(.tokenOutputGradients, of: module), rows: samples.tokens,
      columns: module.outputs, as: type)
    var weights = product(outputs, transposedA: true, inputs)
    weights.scale(by: Element(1 / Double(max(samples.count, 1))))
    return weights
  }

  /// Inner products of the S fold gradients after whitening; nil where the module has none.
  ///
  /// `whiten` gets the gradient g_s of one fold as [outputs, inputs] and turns it into H̃^(−½) g_s.
  /// One fold is read at a time.
  func foldGram<Element: Readable>(
    of module: ModuleStatistics, as type: Element.Type,
    whiten: (inout Matrix<Element>) throws(CurvatureError) -> Void
  ) throws(CurvatureError) -> FoldGram? {
    guard let folds = module.folds, let key = module.key(.gradientFolds) else { return nil }
    var whitened = Matrix<Element>(rows: folds, columns: module.parameters)
    for fold in 0..<folds {
      var gradient = try matrix(
        key, elements: fold * module.parameters..<(fold + 1) * module.parameters,
        columns: module.transposed ? module.outputs : module.inputs, as: type)
      if module.transposed { gradient = gradient.transposed() }
      // A stored sum of one fold is over its share of the samples.
      let divisor = module.divisor(of: .gradientFolds)
      if divisor != 1 { gradient.scale(by: Element(Double(folds) / divisor)) }
      try whiten(&gradient)
      whitened.setRow(fold, to: gradient)
    }
    return FoldGram(folds: folds, products: whitened.gramOfRows())
  }
}
