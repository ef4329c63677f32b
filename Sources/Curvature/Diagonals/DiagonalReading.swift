internal import DenseLinearAlgebra

extension Statistics {
  /// diag H of a module under a kind of curvature, as means, c included where the kind is per token.
  ///
  /// | kind | h_ij |
  /// |---|---|
  /// | identity | 1 |
  /// | kfac, kronecker | c A_jj G_ii, from the two diagonals alone |
  /// | diagonal | F_ij |
  /// | ekfac | Σ_kl (Q_G)²_ik Λ_kl (Q_A)²_jl |
  /// | fisher | the mean over samples of (gₙ)²_ij, from the raw captures |
  /// | dense | H at weight ij, a negative value counting as 0 |
  ///
  /// - Complexity: O(mn) or less; for `ekfac` two products, for `fisher` 2 T m n flops with one
  ///   per-sample gradient in memory. Reads its tensors at every call.
  public func diagonal(
    of module: ModuleStatistics, under options: GainOptions
  ) throws(CurvatureError) -> CurvatureDiagonal {
    let builder = MetricBuilder(statistics: self, options: options)
    let form: CurvatureDiagonal.Form
    switch options.kind {
    case .identity:
      form = .identity
    case .kfac, .kronecker:
      let scale = try options.tokensPerSample.value(of: module)
      form = .rankOne(
        rows: try diagonalFactor(.gradient, of: module, order: module.outputs).map { scale * $0 },
        columns: try diagonalFactor(.activation, of: module, order: module.inputs))
    case .diagonal:
      form = .full(try builder.fisherMoments(of: module))
    case .ekfac:
      form = .full(try builder.rotatedBackMoments(of: module))
    case .fisher:
      form = .full(try builder.capturedSquares(of: module))
    case .dense:
      form = .full(try hessianDiagonal(of: module))
    }
    return CurvatureDiagonal(outputs: module.outputs, inputs: module.inputs, form)
  }

  private func hessianDiagonal(
    of module: ModuleStatistics
  ) throws(CurvatureError) -> Matrix<Double> {
    let key = try requiredKey(.hessian, of: module)
    let diagonal: [Double]
    do { diagonal = try tensors.readFiniteDiagonal(key) } catch { throw .file(error) }
    let divisor = module.divisor(of: .hessian)
    // Along a weight of negative curvature the quadratic model promises a gain without end; 0 is
    // the nearest that a cost can be.
    return Matrix(
      rows: module.outputs, columns: module.inputs, elements: diagonal.map { max($0 / divisor, 0) })
  }
}

extension MetricBuilder {
  /// (Q_G ∘ Q_G) Λ (Q_A ∘ Q_A)ᵀ: the second moments back in the axes of the weights.
  fileprivate func rotatedBackMoments(
    of module: ModuleStatistics
  ) throws(CurvatureError) -> Matrix<Double> {
    var moments = try lambdaMoments(of: module)
    switch try basis(.activation, of: module, as: Double.self) {
    case .some(var vectors):
      vectors.squareElements()
      moments = product(moments, vectors, transposedB: true)
    case .none: break
    }
    switch try basis(.gradient, of: module, as: Double.self) {
    case .some(var vectors):
      vectors.squareElements()
      moments = product(vectors, moments)
    case .none: break
    }
    return moments
  }

  /// (1/N) Σ gₙ ∘ gₙ with gₙ = D_nᵀ X_n, one sample at a time.
  ///
  /// The Gram matrix of the samples, which is enough for their gain, says nothing of single weights.
  fileprivate func capturedSquares(
    of module: ModuleStatistics
  ) throws(CurvatureError) -> Matrix<Double> {
    guard module.key(.tokenInputs) != nil, module.key(.tokenOutputGradients) != nil else {
      throw .statistics(
        "module \"\(module.name)\" has a .gram but no .token_inputs and .token_output_gradients; inner "
          + "products say nothing of single weights, so collect the raw captures, or choose another "
          + "--curvature")
    }
    let samples = try TokenSamples(of: module, in: statistics)
    let captures = try TokenCaptures(of: module, in: statistics)
    var sums = Matrix<Double>(rows: module.outputs, columns: module.inputs)
    for sample in 0..<samples.count {
      let rows = samples.offsets[sample]..<samples.offsets[sample + 1]
      let inputs = try captures.extendedInputs(rows)
      let gradient = product(try captures.outputGradients(rows), transposedA: true, inputs)
      sums.withMutableSpan { sums in
        gradient.withSpan { values in
          for index in 0..<values.count { sums[index] += values[index] * values[index] }
        }
      }
    }
    sums.scale(by: 1 / Double(max(samples.count, 1)))
    return sums
  }
}

extension Matrix<Double> {
  fileprivate mutating func squareElements() {
    withMutableSpan { all in
      for index in 0..<all.count { all[index] *= all[index] }
    }
  }
}
