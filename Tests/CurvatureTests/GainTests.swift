import Curvature
import TestSupport
import Testing

@Suite("Gains")
struct GainTests {
  /// Gain of the only module that `build` puts into a file.
  private func gain(
    _ kind: CurvatureKind, _ damping: Damping = .standard, _ precision: Precision = .double,
    _ build: (inout StatisticsBuilder) -> Void
  ) throws -> ModuleGain {
    try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      build(&builder)
      let path = folder + "/statistics.safetensors"
      try builder.write(to: path)
      let statistics = try Statistics(path: path)
      var computer = GainComputer(
        statistics: statistics,
        options: GainOptions(
          kind: kind, damping: damping, precision: precision))
      return try computer.gain(of: statistics.modules[0])
    }
  }

  private func randomShape(_ generator: inout SeededGenerator) -> (Int, Int) {
    (generator.integer(in: 1...6), generator.integer(in: 1...6))
  }

  @Test("Identity is the squared gradient norm")
  func identity() throws {
    try forEachCase(seed: 31, cases: 20) { generator, _ in
      let (m, n) = randomShape(&generator)
      var values: ModuleValues?
      let found = try gain(.identity) {
        values = $0.addModule("m", outputs: m, inputs: n, &generator)
      }
      let expected = values?.gradient.reduce(0) { $0 + $1 * $1 } ?? 0
      try require(relativeError(found.gain, expected) < 1e-14, "\(found.gain), not \(expected)")
      try require(found.gain == found.gradientNormSquared && found.facts.damping == 0, "\(found)")
    }
  }

  @Test("Diagonal is a dense solve with diag(F) + damping")
  func diagonal() throws {
    try forEachCase(seed: 32, cases: 30) { generator, number in
      let (m, n) = randomShape(&generator)
      let values = ModuleValues(outputs: m, inputs: n, &generator)
      let damping: Damping = number.isMultiple(of: 2) ? .relative(0.3) : .absolute(0.01)
      let found = try gain(.diagonal, damping) {
        $0.add("m.gradient", [m, n], values.gradient)
        $0.add("m.fisher_diagonal", [m, n], values.fisher)
      }
      let mean = values.fisher.reduce(0, +) / Double(m * n)
      let shift = number.isMultiple(of: 2) ? 0.3 * mean : 0.01
      let expected = DenseReference.quadraticForm(
        DenseReference.diagonal(values.fisher, shift: shift), values.gradient)
      try require(relativeError(found.gain, expected) < 1e-13, "\(found.gain), not \(expected)")
      try require(
        relativeError(found.facts.damping, shift) < 1e-14, "\(found.facts.damping), not \(shift)")
    }
  }

  @Test("K-FAC is a dense solve with the damped Kronecker product, in both precisions")
  func kfac() throws {
    try forEachCase(seed: 33, cases: 40) { generator, number in
      let (m, n) = randomShape(&generator)
      let values = ModuleValues(outputs: m, inputs: n, &generator)
      let damping: Damping = number.isMultiple(of: 2) ? .relative(0.1) : .absolute(0.05)
      let meanA = DenseReference.meanEigenvalue(values.activation, order: n)
      let meanG = DenseReference.meanEigenvalue(values.output, order: m)
      // A + π √λ I and G + √λ/π I with π = √(mean A / mean G).
      let lambda = number.isMultiple(of: 2) ? 0.1 * meanA * meanG : 0.05
      let pi = (meanA / meanG).squareRoot()
      let expected = DenseReference.quadraticForm(
        DenseReference.kronecker(
          values, shiftA: pi * lambda.squareRoot(), shiftG: lambda.squareRoot() / pi),
        values.gradient)
      for precision in Precision.allCases {
        let found = try gain(.kfac, damping, precision) { builder in
          builder.add("m.gradient", [m, n], values.gradient)
          builder.add("m.activation_covariance", [n, n], values.activation)
          builder.add("m.gradient_covariance", [m, m], values.output)
        }
        let error = relativeError(found.gain, expected)
        let stated = try #require(found.errorEstimate)
        // The stated bound is first order in the two solves; order² terms of small matrices.
        try require(
          error <= max(4 * Double(m * n) * stated, 1e-12), "\(error), stated \(stated)")
        try require(error < (found.precision == .single ? 1e-3 : 1e-9), "\(error)")
        try require(
          relativeError(found.facts.damping, lambda) < 1e-6, "\(found.facts.damping), not \(lambda)"
        )
      }
    }
  }

  @Test("Dense is a dense solve")
  func dense() throws {
    try forEachCase(seed: 34, cases: 20) { generator, _ in
      let (m, n) = (generator.integer(in: 1...3), generator.integer(in: 1...4))
      let p = m * n
      let gradient = (0..<p).map { _ in generator.normal() }
      let hessian = ModuleValues.secondMoment(p, samples: p + 2, &generator)
      let found = try gain(.dense, .relative(0.2)) {
        $0.add("m.gradient", [m, n], gradient)
        $0.add("m.hessian", [p, p], hessian)
      }
      let shift = 0.2 * DenseReference.meanEigenvalue(hessian, order: p)
      let full = (0..<p).map { i in
        (0..<p).map { hessian[i * p + $0] + (i == $0 ? shift : 0) }
      }
      let expected = DenseReference.quadraticForm(full, gradient)
      try require(relativeError(found.gain, expected) < 1e-10, "\(found.gain), not \(expected)")
    }
  }

  @Test("An ill-conditioned factor sends single precision to double, and the result says so")
  func fallback() throws {
    var generator = SeededGenerator(seed: 35)
    var values = ModuleValues(outputs: 3, inputs: 4, &generator)
    for index in 0..<4 {
      for other in 0..<4 where other != index { values.activation[index * 4 + other] = 0 }
      values.activation[index * 5] = [1e6, 1, 1, 1][index]
    }
    func single(_ damping: Damping) throws -> ModuleGain {
      try gain(.kfac, damping, .single) { builder in
        builder.add("m.gradient", [3, 4], values.gradient)
        builder.add("m.activation_covariance", [4, 4], values.activation)
        builder.add("m.gradient_covariance", [3, 3], values.output)
      }
    }
    #expect(try single(.absolute(1e-6)).precision == .double)
    #expect(try single(.relative(1)).precision == .single)
  }

  @Test("Relative damping makes the gain of c H the gain of H divided by c")
  func scaling() throws {
    var generator = SeededGenerator(seed: 36)
    let values = ModuleValues(outputs: 4, inputs: 5, &generator)
    func scaled(_ c: Double) throws -> Double {
      try gain(.kfac) { builder in
        builder.add("m.gradient", [4, 5], values.gradient)
        builder.add("m.activation_covariance", [5, 5], values.activation.map { c * $0 })
        builder.add("m.gradient_covariance", [4, 4], values.output)
      }.gain
    }
    #expect(relativeError(try scaled(64) * 64, try scaled(1)) < 1e-13)
  }

  @Test("An expert that saw no token has gain 0, not nan", arguments: CurvatureKind.allCases)
  func unusedExpert(kind: CurvatureKind) throws {
    let zero = try gain(kind) {
      $0.add("m.gradient", [2, 3], [Double](repeating: 0, count: 6))
      $0.add("m.activation_covariance", [3, 3], [Double](repeating: 0, count: 9))
      $0.add("m.gradient_covariance", [2, 2], [Double](repeating: 0, count: 4))
      $0.add("m.fisher_diagonal", [2, 3], [Double](repeating: 0, count: 6))
      $0.add("m.hessian", [6, 6], [Double](repeating: 0, count: 36))
      $0.add("m.lambda_matrix", [2, 3], [Double](repeating: 0, count: 6))
      $0.add("m.activation_eigenvectors", [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1])
      $0.add("m.gradient_eigenvectors", [2, 2], [1, 0, 0, 1])
      $0.add("m.token_inputs", [0, 3], [])
      $0.add("m.token_output_gradients", [0, 2], [])
      $0.addIntegers("m.sample_offsets", [0, 0, 0, 0, 0])
      $0.add("m.gradient_folds", [2, 2, 3], [Double](repeating: 0, count: 12))
      $0.addCount("m.num_tokens", 0)
      $0.addCount("m.num_samples", 4)
    }
    #expect(zero.gain == 0)
    #expect(zero.plainGain == 0)
    #expect(zero.foldGram?.standardError ?? 0 == 0)
  }

  @Test("Stored sums with counts give the gain of stored means, the module's own counts first")
  func sums() throws {
    var generator = SeededGenerator(seed: 37)
    let values = ModuleValues(outputs: 3, inputs: 4, &generator)
    for kind in [CurvatureKind.identity, .diagonal, .kfac, .kronecker] {
      func total(own: Bool) throws -> Double {
        try gain(kind) { builder in
          builder.metadata["normalization"] = "sum"
          builder.metadata["num_samples"] = own ? "999" : "8"
          builder.metadata["num_tokens"] = own ? "999" : "32"
          builder.add("m.gradient", [3, 4], values.gradient.map { $0 * 8 })
          builder.add("m.activation_covariance", [4, 4], values.activation.map { $0 * 32 })
          builder.add("m.gradient_covariance", [3, 3], values.output.map { $0 * 32 })
          builder.add("m.fisher_diagonal", [3, 4], values.fisher.map { $0 * 8 })
          if own {
            builder.addCount("m.num_samples", 8)
            builder.addCount("m.num_tokens", 32)
          }
        }.gain
      }
      let means = try gain(kind) { builder in
        builder.add("m.gradient", [3, 4], values.gradient)
        builder.add("m.activation_covariance", [4, 4], values.activation)
        builder.add("m.gradient_covariance", [3, 3], values.output)
        builder.add("m.fisher_diagonal", [3, 4], values.fisher)
      }.gain
      #expect(relativeError(try total(own: false), means) < 1e-13)
      #expect(relativeError(try total(own: true), means) < 1e-13)
    }
  }

  @Test("Conv1D layout is the transpose of linear layout")
  func transposedLayout() throws {
    var generator = SeededGenerator(seed: 38)
    let values = ModuleValues(outputs: 3, inputs: 4, &generator)
    func transpose(_ x: [Double]) -> [Double] {
      (0..<4).flatMap { j in (0..<3).map { x[$0 * 4 + j] } }
    }
    for kind in [CurvatureKind.identity, .diagonal, .kfac, .kronecker] {
      let linear = try gain(kind) { builder in
        builder.add("m.gradient", [3, 4], values.gradient)
        builder.add("m.activation_covariance", [4, 4], values.activation)
        builder.add("m.gradient_covariance", [3, 3], values.output)
        builder.add("m.fisher_diagonal", [3, 4], values.fisher)
      }
      let conv = try gain(kind) { builder in
        builder.metadata["weight_layout"] = "in_out"
        builder.add("m.gradient", [4, 3], transpose(values.gradient))
        builder.add("m.activation_covariance", [4, 4], values.activation)
        builder.add("m.gradient_covariance", [3, 3], values.output)
        builder.add("m.fisher_diagonal", [4, 3], transpose(values.fisher))
      }
      #expect(relativeError(linear.gain, conv.gain) < 1e-14)
      #expect(conv.shape == [3, 4])
    }
  }

  @Test("A separate bias joins as the last column where the covariance has its row")
  func separateBias() throws {
    var generator = SeededGenerator(seed: 39)
    let values = ModuleValues(outputs: 3, inputs: 5, &generator)
    let appended = try gain(.kfac) { builder in
      builder.add("m.gradient", [3, 5], values.gradient)
      builder.add("m.activation_covariance", [5, 5], values.activation)
      builder.add("m.gradient_covariance", [3, 3], values.output)
    }
    let separate = try gain(.kfac) { builder in
      let rows = (0..<3).flatMap { row in (0..<4).map { values.gradient[row * 5 + $0] } }
      builder.add("m.gradient", [3, 4], rows)
      builder.add("m.bias_gradient", [3], (0..<3).map { values.gradient[$0 * 5 + 4] })
      builder.add("m.activation_covariance", [5, 5], values.activation)
      builder.add("m.gradient_covariance", [3, 3], values.output)
    }
    #expect(separate.gain == appended.gain)
    #expect(separate.parameters == 15)
  }
}
