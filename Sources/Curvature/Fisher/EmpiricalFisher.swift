internal import DenseLinearAlgebra

extension MetricBuilder {
  /// ζ² = N uᵀ K (K + NλI)⁻¹ u with u = 1/N and K_ij = gᵢ · gⱼ: the gain under the empirical Fisher
  /// (1/N) Σ gᵢ gᵢᵀ + λ I, by the push-through identity J (JᵀJ/N + λI)⁻¹ Jᵀ = N K (K + NλI)⁻¹.
  ///
  /// It is below 1 always. A fold is a block of N/S consecutive samples, u_s = S/N on it, and
  /// K_st = N u_sᵀ K (K + NλI)⁻¹ u_t. The stored gradients are compared with the captures': they must
  /// be of the same samples in the same order.
  /// - Complexity: the Gram matrix, then N³/3 flops. Double precision.
  func fisherEstimate(of module: ModuleStatistics) throws(CurvatureError) -> GainEstimate {
    let gram = try sampleGram(of: module)
    let count = gram.rows
    let facts = fisherFacts(gram)
    let lambda = facts.damping
    let folds = options.effectiveRule == .plain ? nil : module.folds
    let selections = try foldSelections(module, samples: count, folds: folds)
    let normSquared = try requireSameSamples(module, gram, selections, folds: folds)
    if facts.isFlat {
      return GainEstimate(
        gain: 0, gradientNormSquared: normSquared, facts: facts, precision: .double,
        foldGram: folds.map { FoldGram(folds: $0, products: .init(repeating: 0, count: $0 * $0)) },
        effectiveDimension: 0)
    }

    // 1. K u for u of all samples and of each fold.  2. K + NλI = L Lᵀ.  3. L⁻¹ K u and L⁻¹ u.
    var images = product(gram, selections)
    var damped = gram.copy()
    damped.addToDiagonal(Double(count) * lambda)
    let factor: CholeskyFactor<Double>
    do { factor = try CholeskyFactor(factorizing: damped) } catch {
      throw .value(
        "module \"\(module.name)\": the Gram matrix of \(count) samples is not positive definite "
          + "after damping by \(lambda) (--damping \(options.damping)): \(error); raise --damping")
    }
    factor.solveFromLeft(&images)
    var solved = selections.copy()
    factor.solveFromLeft(&solved)

    let products = product(images, transposedA: true, solved)
    func entry(_ a: Int, _ b: Int) -> Double {
      Double(count) * (products[a, b] + products[b, a]) / 2
    }
    var found = facts
    found.conditionNumber = 1 / factor.reciprocalCondition
    let foldGram = folds.map { folds in
      FoldGram(
        folds: folds,
        products: (1...folds).flatMap { s in (1...folds).map { entry(s, $0) } })
    }
    return GainEstimate(
      gain: max(entry(0, 0), 0), gradientNormSquared: normSquared, facts: found,
      precision: .double,
      errorEstimate: Precision.double.unitRoundoff / factor.reciprocalCondition,
      foldGram: foldGram,
      effectiveDimension: foldGram == nil
        ? max(Double(count) * (1 - lambda * factor.inverseTrace()), 0) : nil)
  }

  /// K of a module's samples: as stored, or from the raw captures.
  func sampleGram(of module: ModuleStatistics) throws(CurvatureError) -> Matrix<Double> {
    guard let order = module.shapes[.gram]?.first else {
      let samples = try TokenSamples(of: module, in: statistics)
      try requireFeasible(samples.count, module)
      return try SampleGram.matrix(of: module, samples, in: statistics)
    }
    try requireFeasible(order, module)
    return try statistics.symmetricMatrix(.gram, of: module, order: order, as: Double.self)
  }

  private func requireFeasible(_ samples: Int, _ module: ModuleStatistics) throws(CurvatureError) {
    guard samples <= GainOptions.largestFactor else {
      throw .statistics(
        "module \"\(module.name)\": \(samples) samples, the limit of --curvature fisher is "
          + "\(GainOptions.largestFactor); use fewer samples, or sequences instead of tokens "
          + "(sample_offsets)")
    }
  }

  /// The non-zero eigenvalues of JᵀJ/N are those of K/N; the default damping is relative to their
  /// mean, tr(K)/N², since relative to the mean over all weights the gain would saturate at 1.
  func fisherFacts(_ gram: borrowing Matrix<Double>) -> CurvatureFacts {
    let count = Double(max(gram.rows, 1))
    let lambda = options.damping.value(meanEigenvalue: gram.trace / (count * count))
    return CurvatureFacts(
      damping: lambda, smallestEigenvalue: lambda,
      largestEigenvalue: gram.sumOfSquares.squareRoot() / count + lambda)
  }

  /// u of all samples in column 0, of fold s in column s: [N, 1 + S].
  private func foldSelections(
    _ module: ModuleStatistics, samples: Int, folds: Int?
  ) throws(CurvatureError) -> Matrix<Double> {
    let folds = folds ?? 0
    guard folds == 0 || samples.isMultiple(of: folds) else {
      throw .statistics(
        "module \"\(module.name)\": \(samples) captured samples are not \(folds) equal folds of "
          + ".gradient_folds; capture the samples of the folds, in their order, or use --gain plain"
      )
    }
    var selections = Matrix<Double>(rows: samples, columns: 1 + folds)
    for sample in 0..<samples {
      selections[sample, 0] = 1 / Double(samples)
      if folds > 0 {
        selections[sample, 1 + sample * folds / samples] = Double(folds) / Double(samples)
      }
    }
    return selections
  }

  /// ‖g‖² of the stored gradient, or of the captures where none is stored. Refuses gradients that are
  /// not the means of the captured samples: their squared norms must agree to 2 %, which leaves room
  /// for 16-bit types.
  private func requireSameSamples(
    _ module: ModuleStatistics, _ gram: borrowing Matrix<Double>,
    _ selections: borrowing Matrix<Double>, folds: Int?
  ) throws(CurvatureError) -> Double {
    let image = product(gram, selections)
    let captured = (0..<selections.columns).map { column in
      (0..<gram.rows).reduce(0) { $0 + selections[$1, column] * image[$1, column] }
    }
    guard module.key(.gradient) != nil else { return captured[0] }
    var stored = [try statistics.gradient(of: module, as: Double.self).sumOfSquares]
    if folds != nil,
      let gram = try statistics.foldGram(of: module, as: Double.self, whiten: { _ in })
    {
      stored += (0..<gram.folds).map { gram.products[$0 * gram.folds + $0] }
    }
    for (index, (stored, captured)) in zip(stored, captured).enumerated()
    where abs(stored - captured) > 0.02 * max(stored, captured) {
      let what = index == 0 ? "the gradient" : "fold \(index - 1)"
      throw .value(
        "module \"\(module.name)\": \(what) has ‖g‖² = \(stored), but the captured samples give "
          + "\(captured); gradient, folds and captures must be of the same samples in the same order"
          + (index == 0 ? "" : " (or use --gain plain)"))
    }
    return stored[0]
  }
}
