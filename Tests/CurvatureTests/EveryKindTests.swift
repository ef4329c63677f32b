import Curvature
import TestSupport
import Testing

/// Every kind against H̃ written out in full and solved by elimination, on modules whose samples are
/// known, with all variations of how a file may hold them.
@Suite("Every kind against a dense solve")
struct EveryKindTests {
  private typealias Basis = (qa: [Double], qg: [Double])

  private func draw(
    _ generator: inout SeededGenerator, samples: Int = 12, folds: Int = 3
  ) -> (module: SyntheticModule, basis: (qa: [Double], qg: [Double])) {
    let (m, n) = (generator.integer(in: 1...4), generator.integer(in: 2...4))
    let module = SyntheticModule(
      outputs: m, inputs: n, samples: samples, folds: folds,
      hasBias: generator.integer(in: 0...1) == 1, &generator)
    return (
      module,
      (
        SyntheticModule.orthogonal(n, &generator), SyntheticModule.orthogonal(m, &generator)
      )
    )
  }

  private func gain(
    _ kind: CurvatureKind, rule: GainRule = .automatic, damping: Damping = .standard,
    tokensPerSample: TokensPerSample = .fixed(1), _ build: (inout StatisticsBuilder) -> Void
  ) throws -> ModuleGain {
    try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      build(&builder)
      try builder.write(to: folder + "/s.safetensors")
      let options = GainOptions(
        kind: kind, damping: damping, precision: .double, rule: rule,
        tokensPerSample: tokensPerSample)
      let statistics = try Statistics(path: folder)
      var computer = GainComputer(statistics: statistics, options: options)
      return try computer.gain(of: statistics.modules[0])
    }
  }

  @Test("Plain gain, damping and bounds", arguments: CurvatureKind.allCases)
  func plain(kind: CurvatureKind) throws {
    try forEachCase(seed: 401, cases: 25) { generator, _ in
      let (module, basis) = draw(&generator)
      let found = try gain(kind, rule: .plain) { module.add(to: &$0, basis: basis) }
      let (matrix, damping) = DenseReference.damped(kind, module, relative: 0.1, basis: basis)
      let expected = DenseReference.quadraticForm(matrix, module.gradient)
      try require(
        relativeError(found.plainGain, expected) < 1e-10, "\(found.plainGain), \(expected)")
      try require(relativeError(found.facts.damping, damping) < 1e-12, "\(found.facts.damping)")
      try require(found.gain == found.plainGain && found.foldGram == nil, "no folds under plain")
      let rounding = 1 + 1e-9
      try require(found.bounds.lower <= expected * rounding, "\(found.bounds), \(expected)")
      let upper = try #require(found.bounds.upper)
      try require(expected <= upper * rounding, "\(found.bounds), \(expected)")
    }
  }

  @Test(
    "Half of the gain is the largest decrease of the local model, found by minimising it",
    arguments: CurvatureKind.allCases)
  func largestDecrease(kind: CurvatureKind) throws {
    try forEachCase(seed: 403, cases: 10) { generator, _ in
      let (module, basis) = draw(&generator)
      let found = try gain(kind, rule: .plain) { module.add(to: &$0, basis: basis) }
      let matrix = DenseReference.damped(kind, module, relative: 0.1, basis: basis).matrix
      let gradient = module.gradient
      func times(_ x: [Double]) -> [Double] {
        matrix.map { row in zip(row, x).reduce(0) { $0 + $1.0 * $1.1 } }
      }
      func dot(_ x: [Double], _ y: [Double]) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
      // Conjugate directions on gᵀu + ½ uᵀH̃u, restarted: no inverse and no elimination.
      var u = [Double](repeating: 0, count: gradient.count)
      for _ in 0..<4 {
        var residual = zip(gradient, times(u)).map { -($0 + $1) }
        var direction = residual
        for _ in 0..<gradient.count where dot(residual, residual) > 0 {
          let image = times(direction)
          let step = dot(residual, residual) / dot(direction, image)
          u = zip(u, direction).map { $0 + step * $1 }
          let next = zip(residual, image).map { $0 - step * $1 }
          let ratio = dot(next, next) / dot(residual, residual)
          direction = zip(next, direction).map { $0 + ratio * $1 }
          residual = next
        }
      }
      func model(_ u: [Double]) -> Double { dot(gradient, u) + dot(u, times(u)) / 2 }
      try require(
        relativeError(found.plainGain / 2, -model(u)) < 1e-8, "\(found.plainGain), \(-model(u))")
      // No other update does better, not even a step along the gradient of the best length.
      let along = gradient.map { -$0 * dot(gradient, gradient) / dot(gradient, times(gradient)) }
      let other = u.map { $0 + 0.1 * generator.normal() }
      try require(min(model(along), model(other)) >= model(u) * (1 + 1e-8), "a better update")
    }
  }

  @Test("Cross-fitted products of the folds", arguments: CurvatureKind.allCases)
  func crossFitted(kind: CurvatureKind) throws {
    try forEachCase(seed: 402, cases: 20) { generator, _ in
      let folds = generator.integer(in: 2...4)
      let (module, basis) = draw(&generator, samples: 12, folds: folds)
      let found = try gain(kind, rule: .crossFitted) { module.add(to: &$0, basis: basis) }
      let matrix = DenseReference.damped(kind, module, relative: 0.1, basis: basis).matrix
      // Polarisation: 2 gᵀH⁻¹h = q(g + h) − q(g) − q(h).
      func q(_ x: [Double]) -> Double { DenseReference.quadraticForm(matrix, x) }
      let gradients = module.foldGradients
      var (expected, size) = (0.0, 0.0)
      for s in 0..<folds {
        size += q(gradients[s])
        for t in 0..<folds where t != s {
          let sum = zip(gradients[s], gradients[t]).map { $0 + $1 }
          expected += (q(sum) - q(gradients[s]) - q(gradients[t])) / 2
        }
      }
      expected /= Double(folds * (folds - 1))
      let gram = try #require(found.foldGram)
      try require(
        abs(gram.crossFittedGain - expected) <= 1e-9 * size, "\(gram.crossFittedGain), \(expected)")
      try require(found.gain == max(gram.crossFittedGain, 0), "negative counts as 0")
      try require(
        relativeError(found.plainGain, q(module.gradient)) < 1e-9, "\(found.plainGain)")
    }
  }

  @Test(
    "Noise is predicted as tr(H̃⁻¹ H)/N of the curvature per sample",
    arguments: CurvatureKind.allCases)
  func predictedNoise(kind: CurvatureKind) throws {
    try forEachCase(seed: 403, cases: 10) { generator, _ in
      let (module, basis) = draw(&generator)
      let found = try gain(kind, rule: .plain) { module.add(to: &$0, basis: basis) }
      let damped = DenseReference.damped(kind, module, relative: 0.1, basis: basis)
      let undamped = DenseReference.damped(kind, module, relative: 0, basis: basis).matrix
      // tr(H̃⁻¹ H) with H = Σ columns, by solving against each unit vector pair.
      let p = module.parameters
      func unit(_ i: Int) -> [Double] { (0..<p).map { $0 == i ? 1 : 0 } }
      func q(_ x: [Double]) -> Double { DenseReference.quadraticForm(damped.matrix, x) }
      var dimension = 0.0
      for i in 0..<p {
        for j in 0..<p where undamped[i][j] != 0 {
          let inverse =
            i == j
            ? q(unit(i))
            : (q(zip(unit(i), unit(j)).map { $0 + $1 }) - q(unit(i)) - q(unit(j))) / 2
          dimension += inverse * undamped[i][j]
        }
      }
      let tokensPerSample = Double(module.tokens.count) / Double(module.samples)
      let noise =
        dimension * (kind.isPerToken ? tokensPerSample : 1) / Double(module.samples)
      let predicted = try #require(found.predictedNoise)
      try require(relativeError(predicted, noise) < 1e-7, "\(predicted), \(noise)")
    }
  }

  @Test("Tokens per sample multiply the curvature", arguments: [CurvatureKind.kfac, .kronecker])
  func tokensPerSample(kind: CurvatureKind) throws {
    try forEachCase(seed: 404, cases: 15) { generator, number in
      let (module, basis) = draw(&generator)
      let c = number.isMultiple(of: 2) ? 3.5 : Double(module.tokens.count) / 12
      let rule: TokensPerSample = number.isMultiple(of: 2) ? .fixed(3.5) : .automatic
      let (matrix, damping) = DenseReference.damped(
        kind, module, relative: 0.1, basis: basis, c: c)
      let expected = DenseReference.quadraticForm(matrix, module.gradient)
      for damping in [Damping.relative(0.1), .absolute(damping)] {
        let found = try gain(kind, rule: .plain, damping: damping, tokensPerSample: rule) {
          module.add(to: &$0, basis: basis)
        }
        try require(
          relativeError(found.plainGain, expected) < 1e-10, "\(found.plainGain), \(expected)")
        try require(found.facts.tokensPerSample == c, "\(found.facts)")
      }
    }
  }

  @Test(
    "A diagonal factor stored in one dimension is the dense one with zeros",
    arguments: [CurvatureKind.kfac, .kronecker, .ekfac], [0, 1, 2])
  func oneDimensionalFactors(kind: CurvatureKind, which: Int) throws {
    var generator = SeededGenerator(seed: 405)
    let (m, n) = (3, 4)
    let gradient = (0..<m * n).map { _ in generator.normal() }
    let a = (0..<n).map { _ in generator.uniform(in: 0.1...2) }
    let g = (0..<m).map { _ in generator.uniform(in: 0.1...2) }
    func matrix(_ values: [Double]) -> [Double] {
      values.indices.flatMap { i in values.indices.map { i == $0 ? values[i] : 0 } }
    }
    func identity(_ order: Int) -> [Double] { matrix(.init(repeating: 1, count: order)) }
    func found(diagonalA: Bool, diagonalG: Bool) throws -> ModuleGain {
      try gain(kind) { builder in
        builder.metadata["num_samples"] = "10"
        builder.metadata["num_tokens"] = "30"
        builder.add("m.gradient", [m, n], gradient)
        if diagonalA {
          builder.add("m.activation_covariance", [n], a)
        } else {
          builder.add("m.activation_covariance", [n, n], matrix(a))
          builder.add("m.activation_eigenvectors", [n, n], identity(n))
        }
        if diagonalG {
          builder.add("m.gradient_covariance", [m], g)
        } else {
          builder.add("m.gradient_covariance", [m, m], matrix(g))
          builder.add("m.gradient_eigenvectors", [m, m], identity(m))
        }
        builder.add("m.lambda_matrix", [m, n], g.flatMap { g in a.map { $0 * g } })
      }
    }
    let dense = try found(diagonalA: false, diagonalG: false)
    let sparse = try found(diagonalA: which != 1, diagonalG: which != 0)
    #expect(relativeError(sparse.gain, dense.gain) < 1e-12)
    #expect(relativeError(sparse.predictedNoise ?? 0, dense.predictedNoise ?? 1) < 1e-12)
    #expect(relativeError(sparse.facts.damping, dense.facts.damping) < 1e-12)
  }

  @Test("Raw captures alone give the fisher gain, a ready Gram matrix the same")
  func rawCaptures() throws {
    try forEachCase(seed: 406, cases: 15) { generator, _ in
      let (m, n) = (generator.integer(in: 1...4), generator.integer(in: 2...4))
      let module = SyntheticModule(outputs: m, inputs: n, samples: 9, &generator)
      let matrix = DenseReference.damped(
        .fisher, module, relative: 0.1, basis: ([], [])
      ).matrix
      let expected = DenseReference.quadraticForm(matrix, module.gradient)
      let captured = try gain(.fisher) { module.addCaptures(to: &$0) }
      try require(relativeError(captured.gain, expected) < 1e-9, "\(captured.gain), \(expected)")
      try require(
        relativeError(
          captured.gradientNormSquared, module.gradient.reduce(0) { $0 + $1 * $1 }) < 1e-12, "‖g‖²")
      let ready = try gain(.fisher) {
        $0.add("m.gradient", [m, n], module.gradient)
        $0.add("m.gram", [9, 9], module.gram)
      }
      try require(relativeError(ready.gain, expected) < 1e-9, "\(ready.gain), \(expected)")
      try require(captured.gain < 1, "always below 1")
      // Identity needs a gradient only, and makes it of the captures.
      let norm = try gain(.identity) { module.addCaptures(to: &$0) }
      try require(relativeError(norm.gain, captured.gradientNormSquared) < 1e-12, "\(norm.gain)")
    }
  }

  /// Sequences of a small module go by their gradients; samples of few tokens, here over three tiles
  /// of tokens, by the token Gram matrix.
  @Test(
    "Both ways to the products of samples give the dense solve",
    arguments: [(side: 3, samples: 8, tokens: 30...50), (side: 6, samples: 1500, tokens: 1...2)],
    [false, true])
  func bothWays(
    shape: (side: Int, samples: Int, tokens: ClosedRange<Int>), hasBias: Bool
  ) throws {
    var generator = SeededGenerator(seed: 409)
    let module = SyntheticModule(
      outputs: shape.side, inputs: shape.side, samples: shape.samples, folds: 2, hasBias: hasBias,
      tokensPerSample: shape.tokens, &generator)
    let found = try gain(.fisher, rule: .crossFitted) {
      $0.add("m.gradient", [shape.side, shape.side], module.gradient)
      $0.add(
        "m.gradient_folds", [2, shape.side, shape.side], module.foldGradients.flatMap { $0 })
      module.addCaptures(to: &$0)
    }
    let matrix = DenseReference.damped(.fisher, module, relative: 0.1, basis: ([], [])).matrix
    let expected = DenseReference.quadraticForm(matrix, module.gradient)
    #expect(relativeError(found.plainGain, expected) < 1e-9)
    #expect(found.foldGram?.folds == 2)
    // Left to itself the rule is plain: the curvature is made of the same samples.
    let automatic = try gain(.fisher) {
      $0.add("m.gradient", [shape.side, shape.side], module.gradient)
      $0.add(
        "m.gradient_folds", [2, shape.side, shape.side], module.foldGradients.flatMap { $0 })
      module.addCaptures(to: &$0)
    }
    #expect(automatic.gain == automatic.plainGain && automatic.foldGram == nil)
    #expect(automatic.predictedNoise != nil)
  }

  @Test("Without offsets every token is a sample, also over many tiles")
  func tokensAsSamples() throws {
    var generator = SeededGenerator(seed: 407)
    let module = SyntheticModule(
      outputs: 3, inputs: 4, samples: 2500, hasBias: true, tokensPerSample: 1...1, &generator)
    let found = try gain(.fisher) { builder in
      builder.add("m.gradient", [3, 4], module.gradient)
      builder.add("m.token_inputs", [2500, 3], module.tokens.flatMap(\.x))
      builder.add("m.token_output_gradients", [2500, 3], module.tokens.flatMap(\.d))
    }
    let matrix = DenseReference.damped(.fisher, module, relative: 0.1, basis: ([], [])).matrix
    let expected = DenseReference.quadraticForm(matrix, module.gradient)
    #expect(relativeError(found.gain, expected) < 1e-8)
  }

  @Test("Captures of other samples than the gradient's are refused, also in another order")
  func otherSamples() throws {
    var generator = SeededGenerator(seed: 408)
    let module = SyntheticModule(outputs: 2, inputs: 3, samples: 8, folds: 2, &generator)
    func message(_ build: @escaping (inout StatisticsBuilder) -> Void) -> String {
      do { return "\(try gain(.fisher, rule: .crossFitted, build).gain)" } catch {
        return "\(error)"
      }
    }
    let scaled = message {
      $0.add("m.gradient", [2, 3], module.gradient.map { 2 * $0 })
      $0.add("m.gradient_folds", [2, 2, 3], module.foldGradients.flatMap { $0 })
      module.addCaptures(to: &$0)
    }
    #expect(
      scaled.contains("the gradient has ‖g‖²") && scaled.contains("same samples"), "\(scaled)")
    let swapped = message {
      $0.add("m.gradient", [2, 3], module.gradient)
      $0.add("m.gradient_folds", [2, 2, 3], module.foldGradients.reversed().flatMap { $0 })
      module.addCaptures(to: &$0)
    }
    #expect(swapped.contains("fold 0") && swapped.contains("--gain plain"), "\(swapped)")
    let offsets = message {
      $0.add("m.gradient", [2, 3], module.gradient)
      $0.add("m.gradient_folds", [2, 2, 3], module.foldGradients.flatMap { $0 })
      $0.add("m.token_inputs", [4, 3], .init(repeating: 1, count: 12))
      $0.add("m.token_output_gradients", [4, 2], .init(repeating: 1, count: 8))
      $0.addIntegers("m.sample_offsets", [0, 3, 2, 4])
    }
    #expect(offsets.contains("sample_offsets") && offsets.contains("never falling"), "\(offsets)")
  }
}
