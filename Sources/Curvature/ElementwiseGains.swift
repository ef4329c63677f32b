internal import DenseLinearAlgebra

extension GainComputer {
  /// ζ² = ‖W‖²_F, the gradient-norm baseline. - Complexity: O(mn).
  func identityGain(of module: ModuleStatistics) throws(CurvatureError) -> GainEstimate {
    let weights = try statistics.gradient(of: module, as: Double.self)
    let norm = weights.sumOfSquares
    return GainEstimate(
      gain: norm, gradientNormSquared: norm, damping: 0, precision: .double,
      foldGram: try foldGram(of: module, as: Double.self) { _ in })
  }

  /// ζ² = Σ W² / (F + λ), F the mean squared per-sample gradient. - Complexity: O(mn).
  func diagonalGain(of module: ModuleStatistics) throws(CurvatureError) -> GainEstimate {
    let weights = try statistics.gradient(of: module, as: Double.self)
    let key = try statistics.requiredKey(.fisherDiagonal, of: module)
    var fisher = try statistics.matrix(
      key, rows: statistics.transposed ? module.inputs : module.outputs,
      columns: statistics.transposed ? module.outputs : module.inputs, as: Double.self)
    if statistics.transposed { fisher = fisher.transposed() }

    // The mean over all elements gives λ; a negative element is no mean of squares.
    var total = 0.0
    for row in 0..<module.outputs {
      for column in 0..<module.inputs {
        let value = fisher[row, column]
        guard value >= 0 else {
          throw .value(
            "\(statistics.place(of: key)): element [\(row), \(column)] is \(value), but a mean of "
              + "squares is never negative; check how it was collected")
        }
        total += value / module.sampleDivisor
      }
    }
    let lambda = damping.value(meanEigenvalue: total / Double(module.parameters))
    var gain = 0.0
    for row in 0..<module.outputs {
      for column in 0..<module.inputs {
        let gradient = weights[row, column]
        guard gradient != 0 else { continue }
        let curvature = fisher[row, column] / module.sampleDivisor + lambda
        guard curvature > 0 else {
          throw .value(
            "\(statistics.place(of: key)): element [\(row), \(column)] is 0 after damping where the "
              + "gradient is \(gradient); raise --damping")
        }
        gain += gradient * gradient / curvature
      }
    }
    let gram = try foldGram(of: module, as: Double.self) { gradient in
      for row in 0..<module.outputs {
        for column in 0..<module.inputs where gradient[row, column] != 0 {
          let curvature = fisher[row, column] / module.sampleDivisor + lambda
          gradient[row, column] /= curvature.squareRoot()
        }
      }
    }
    return GainEstimate(
      gain: gain, gradientNormSquared: weights.sumOfSquares, damping: lambda, precision: .double,
      foldGram: gram)
  }
}
