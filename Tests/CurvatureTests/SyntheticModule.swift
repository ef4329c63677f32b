import TestSupport

/// A linear module with made-up samples, of which everything is known: each token's input and output
/// gradient, and from them, by loops alone, every quantity that a statistics file can hold.
struct SyntheticModule {
  let outputs: Int
  /// Columns of the gradient, the bias included.
  let inputs: Int
  let hasBias: Bool
  /// Token rows of sample i: offsets[i] ..< offsets[i + 1].
  let offsets: [Int]
  /// x per token, without the 1 of the bias, and d.
  let tokens: [(x: [Double], d: [Double])]
  let folds: Int

  init(
    outputs: Int, inputs: Int, samples: Int, folds: Int = 2, hasBias: Bool = false,
    tokensPerSample: ClosedRange<Int> = 1...4, _ generator: inout SeededGenerator
  ) {
    self.outputs = outputs
    self.inputs = inputs
    self.hasBias = hasBias
    self.folds = folds
    var offsets = [0]
    for _ in 0..<samples {
      offsets.append(offsets[offsets.count - 1] + generator.integer(in: tokensPerSample))
    }
    self.offsets = offsets
    let mixing = (0..<inputs).map { _ in generator.uniform(in: 0.2...2) }
    tokens = (0..<offsets[samples]).map { _ in
      (
        (0..<inputs - (hasBias ? 1 : 0)).map { mixing[$0] * generator.normal() },
        (0..<outputs).map { _ in generator.normal() + 0.2 }
      )
    }
  }

  var samples: Int { offsets.count - 1 }
  var parameters: Int { outputs * inputs }

  private func extended(_ token: Int) -> [Double] { tokens[token].x + (hasBias ? [1] : []) }

  /// gᵢ of every sample, row by row.
  var sampleGradients: [[Double]] {
    (0..<samples).map { sample in
      var gradient = [Double](repeating: 0, count: parameters)
      for token in offsets[sample]..<offsets[sample + 1] {
        let x = extended(token)
        for i in 0..<outputs {
          for j in 0..<inputs { gradient[i * inputs + j] += tokens[token].d[i] * x[j] }
        }
      }
      return gradient
    }
  }

  func mean(_ gradients: some Collection<[Double]>) -> [Double] {
    (0..<parameters).map { p in gradients.reduce(0) { $0 + $1[p] } / Double(gradients.count) }
  }

  var gradient: [Double] { mean(sampleGradients) }

  var foldGradients: [[Double]] {
    let all = sampleGradients
    return (0..<folds).map { mean(all[$0 * samples / folds..<($0 + 1) * samples / folds]) }
  }

  /// A and G, means over tokens.
  var activation: [Double] { secondMoment(of: tokens.indices.map(extended)) }
  var output: [Double] { secondMoment(of: tokens.map(\.d)) }

  private func secondMoment(of rows: [[Double]]) -> [Double] {
    let order = rows[0].count
    return (0..<order * order).map { index in
      rows.reduce(0) { $0 + $1[index / order] * $1[index % order] } / Double(rows.count)
    }
  }

  var fisherDiagonal: [Double] {
    let all = sampleGradients
    return (0..<parameters).map { p in
      all.reduce(0) { $0 + $1[p] * $1[p] } / Double(samples)
    }
  }

  /// (1/N) Σ gᵢ gᵢᵀ.
  var fisher: [[Double]] {
    let all = sampleGradients
    return (0..<parameters).map { p in
      (0..<parameters).map { q in all.reduce(0) { $0 + $1[p] * $1[q] } / Double(samples) }
    }
  }

  var gram: [Double] {
    let all = sampleGradients
    return all.flatMap { a in all.map { b in zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } } }
  }

  /// Mean over samples of (Q_Gᵀ gᵢ Q_A)², Q in columns.
  func lambda(_ qa: [Double], _ qg: [Double]) -> [Double] {
    let rotated = sampleGradients.map { rotate($0, qa, qg) }
    return (0..<parameters).map { p in
      rotated.reduce(0) { $0 + $1[p] * $1[p] } / Double(samples)
    }
  }

  func rotate(_ g: [Double], _ qa: [Double], _ qg: [Double]) -> [Double] {
    (0..<parameters).map { index in
      let (k, l) = (index / inputs, index % inputs)
      var sum = 0.0
      for i in 0..<outputs {
        for j in 0..<inputs {
          sum += qg[i * outputs + k] * g[i * inputs + j] * qa[j * inputs + l]
        }
      }
      return sum
    }
  }

  /// Everything a file can hold, under `name`, as means.
  func add(
    to builder: inout StatisticsBuilder, name: String = "m", withFolds: Bool = true,
    basis: (qa: [Double], qg: [Double])? = nil
  ) {
    let (m, n) = (outputs, inputs)
    builder.add("\(name).gradient", [m, n], gradient)
    if withFolds {
      builder.add("\(name).gradient_folds", [folds, m, n], foldGradients.flatMap { $0 })
    }
    builder.add("\(name).activation_covariance", [n, n], activation)
    builder.add("\(name).gradient_covariance", [m, m], output)
    builder.add("\(name).fisher_diagonal", [m, n], fisherDiagonal)
    builder.add("\(name).hessian", [m * n, m * n], fisher.flatMap { $0 })
    if let basis {
      builder.add("\(name).activation_eigenvectors", [n, n], basis.qa)
      builder.add("\(name).gradient_eigenvectors", [m, m], basis.qg)
      builder.add("\(name).lambda_matrix", [m, n], lambda(basis.qa, basis.qg))
    }
    addCaptures(to: &builder, name: name)
    builder.addCount("\(name).num_tokens", Int64(tokens.count))
    builder.addCount("\(name).num_samples", Int64(samples))
  }

  func addCaptures(to builder: inout StatisticsBuilder, name: String = "m") {
    let width = inputs - (hasBias ? 1 : 0)
    builder.add("\(name).token_inputs", [tokens.count, width], tokens.flatMap(\.x))
    builder.add("\(name).token_output_gradients", [tokens.count, outputs], tokens.flatMap(\.d))
    builder.addIntegers("\(name).sample_offsets", offsets.map { Int64($0) })
  }

  /// A random orthogonal matrix, vectors in columns, by Gram-Schmidt.
  static func orthogonal(_ order: Int, _ generator: inout SeededGenerator) -> [Double] {
    var columns: [[Double]] = []
    while columns.count < order {
      var v = (0..<order).map { _ in generator.normal() }
      for _ in 0..<2 {
        for c in columns {
          let along = zip(v, c).reduce(0) { $0 + $1.0 * $1.1 }
          v = zip(v, c).map { $0 - along * $1 }
        }
      }
      let norm = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if norm > 1e-3 { columns.append(v.map { $0 / norm }) }
    }
    return (0..<order * order).map { columns[$0 % order][$0 / order] }
  }
}
