import Curvature
import DenseLinearAlgebra
import TestSupport
import Testing

/// diag H of every kind against the undamped curvature written out in full.
@Suite("Diagonal of the curvature")
struct DiagonalTests {
  /// The diagonal [out · in] of the only module that `build` puts into a file.
  private func diagonal(
    _ kind: CurvatureKind, tokensPerSample: TokensPerSample = .fixed(1),
    _ build: (inout StatisticsBuilder) -> Void
  ) throws -> [Double] {
    try withDiagonal(kind, tokensPerSample: tokensPerSample, build) { diagonal in
      (0..<diagonal.outputs * diagonal.inputs).map {
        diagonal[$0 / diagonal.inputs, $0 % diagonal.inputs]
      }
    }
  }

  private func withDiagonal<Result>(
    _ kind: CurvatureKind, tokensPerSample: TokensPerSample = .fixed(1),
    _ build: (inout StatisticsBuilder) -> Void,
    _ body: (borrowing CurvatureDiagonal) throws -> Result
  ) throws -> Result {
    try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      build(&builder)
      try builder.write(to: folder + "/s.safetensors")
      let statistics = try Statistics(path: folder)
      let diagonal = try statistics.diagonal(
        of: statistics.modules[0],
        under: GainOptions(kind: kind, tokensPerSample: tokensPerSample))
      return try body(diagonal)
    }
  }

  private func draw(
    _ generator: inout SeededGenerator
  ) -> (module: SyntheticModule, basis: (qa: [Double], qg: [Double])) {
    let (m, n) = (generator.integer(in: 1...4), generator.integer(in: 2...5))
    let module = SyntheticModule(
      outputs: m, inputs: n, samples: 6, hasBias: generator.integer(in: 0...1) == 1, &generator)
    return (
      module,
      (SyntheticModule.orthogonal(n, &generator), SyntheticModule.orthogonal(m, &generator))
    )
  }

  @Test("Every kind is the diagonal of H in full, nothing added", arguments: CurvatureKind.allCases)
  func everyKind(kind: CurvatureKind) throws {
    try forEachCase(seed: 501, cases: 25) { generator, number in
      let (module, basis) = draw(&generator)
      let c = kind.isPerToken && number.isMultiple(of: 2) ? 2.5 : 1
      let found = try diagonal(kind, tokensPerSample: .fixed(c)) {
        module.add(to: &$0, basis: basis)
      }
      let full = DenseReference.damped(kind, module, relative: 0, basis: basis, c: c).matrix
      try require(found.count == module.parameters, "\(found.count)")
      for index in found.indices {
        let expected = full[index][index]
        try require(
          abs(found[index] - expected) <= 1e-11 * max(expected, 1e-3),
          "\(index): \(found[index]), \(expected)")
      }
    }
  }

  @Test("Stored sums are divided by their counts, transposed ones are turned")
  func sumsAndLayouts() throws {
    try forEachCase(seed: 502, cases: 20) { generator, _ in
      let (module, basis) = draw(&generator)
      let (m, n) = (module.outputs, module.inputs)
      func turned(_ values: [Double]) -> [Double] {
        (0..<m * n).map { values[$0 % m * n + $0 / m] }
      }
      for kind in [CurvatureKind.diagonal, .kfac, .ekfac, .dense] {
        let plain = try diagonal(kind) { module.add(to: &$0, basis: basis) }
        let summed = try diagonal(kind) { builder in
          builder.metadata["normalization"] = "sum"
          builder.metadata["weight_layout"] = "in_out"
          let (samples, tokens) = (Double(module.samples), Double(module.tokens.count))
          builder.add("m.gradient", [n, m], turned(module.gradient).map { $0 * samples })
          builder.add(
            "m.fisher_diagonal", [n, m], turned(module.fisherDiagonal).map { $0 * samples })
          builder.add("m.activation_covariance", [n, n], module.activation.map { $0 * tokens })
          builder.add("m.gradient_covariance", [m, m], module.output.map { $0 * tokens })
          builder.add("m.activation_eigenvectors", [n, n], basis.qa)
          builder.add("m.gradient_eigenvectors", [m, m], basis.qg)
          builder.add(
            "m.lambda_matrix", [m, n], module.lambda(basis.qa, basis.qg).map { $0 * samples })
          builder.add(
            "m.hessian", [m * n, m * n], module.fisher.flatMap { $0 }.map { $0 * samples })
          builder.addCount("m.num_tokens", Int64(module.tokens.count))
          builder.addCount("m.num_samples", Int64(module.samples))
        }
        for (one, other) in zip(plain, summed) {
          try require(relativeError(one, other) < 1e-12, "\(kind): \(one), \(other)")
        }
      }
    }
  }

  @Test("A factor stored in one dimension, and a Hessian with a negative element")
  func edges() throws {
    let found = try diagonal(.kfac) {
      $0.add("m.gradient", [2, 3], [1, 1, 1, 1, 1, 1])
      $0.add("m.activation_covariance", [3], [1, 2, 0])
      $0.add("m.gradient_covariance", [2], [3, 5])
    }
    #expect(found == [3, 6, 0, 5, 10, 0])
    let hessian = try diagonal(.dense) {
      $0.add("m.gradient", [1, 2], [1, 1])
      $0.add("m.hessian", [2, 2], [-3, 1, 1, 4])
    }
    #expect(hessian == [0, 4])
  }

  @Test("Costs are ½ w² h, row by row, with and without the column of the bias")
  func costs() throws {
    try forEachCase(seed: 503, cases: 20) { generator, _ in
      let (module, basis) = draw(&generator)
      for kind in CurvatureKind.allCases {
        try withDiagonal(kind) {
          module.add(to: &$0, basis: basis)
        } _: { diagonal in
          let columns = module.inputs - (module.hasBias ? 1 : 0)
          let first = generator.integer(in: 0...module.outputs - 1)
          let rows = module.outputs - first
          let weights = (0..<rows * columns).map { _ in generator.normal() }
          var costs = Matrix<Double>(rows: rows, columns: columns, elements: weights)
          diagonal.replaceByCosts(&costs, firstRow: first)
          for row in 0..<rows {
            for column in 0..<columns {
              let w = weights[row * columns + column]
              let expected = 0.5 * w * w * diagonal[first + row, column]
              try require(
                abs(costs[row, column] - expected) <= 1e-14 * expected, "\(kind) \(row) \(column)")
            }
          }
        }
      }
    }
  }

  @Test("Inner products of samples alone say nothing of single weights")
  func gramAlone() throws {
    do {
      let found = try diagonal(.fisher) {
        $0.add("m.gradient", [1, 2], [1, 1])
        $0.add("m.gram", [2, 2], [2, 0, 0, 2])
      }
      Issue.record("no error, but \(found)")
    } catch let error as CurvatureError {
      #expect("\(error)".contains("token_inputs"), "\(error)")
    }
  }
}
