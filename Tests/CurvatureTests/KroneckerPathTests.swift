import Curvature
import DenseLinearAlgebra
import TestSupport
import Testing

/// The exact Kronecker gain by two eigendecompositions and by a band of either factor: one number.
@Suite("Paths to the exact Kronecker gain")
struct KroneckerPathTests {
  private static let paths = [
    KroneckerPath.eigenbases, .band(of: .activation), .band(of: .gradient),
  ]

  private func gain(
    _ path: KroneckerPath?, damping: Damping = .standard, rule: GainRule = .automatic,
    _ build: (inout StatisticsBuilder) -> Void
  ) throws -> ModuleGain {
    try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      build(&builder)
      try builder.write(to: folder + "/s.safetensors")
      var options = GainOptions(
        kind: .kronecker, damping: damping, precision: .double, rule: rule)
      options.kroneckerPath = path
      let statistics = try Statistics(path: folder)
      var computer = GainComputer(statistics: statistics, options: options)
      return try computer.gain(of: statistics.modules[0])
    }
  }

  /// Shapes from 1 × 1 over less than the width of the band to a few blocks, full and low rank.
  @Test("Gains, products of folds, noise and bounds agree")
  func agreement() throws {
    var bands = 0
    try forEachCase(seed: 511, cases: 24) { generator, number in
      let (m, n) = (generator.integer(in: 1...90), generator.integer(in: 1...90))
      let values = ModuleValues(outputs: m, inputs: n, &generator)
      let activation = ModuleValues.secondMoment(
        n, samples: number.isMultiple(of: 3) ? n / 2 + 1 : n + 3, &generator)
      let folds = (0..<2 * m * n).map { _ in generator.normal() }
      let gains = try Self.paths.map { path in
        try gain(path, rule: number.isMultiple(of: 2) ? .plain : .automatic) {
          $0.metadata["num_samples"] = "10"
          $0.metadata["num_tokens"] = "30"
          $0.add("m.gradient", [m, n], values.gradient)
          $0.add("m.gradient_folds", [2, m, n], folds)
          $0.add("m.activation_covariance", [n, n], activation)
          $0.add("m.gradient_covariance", [m, m], values.output)
        }
      }
      let exact = gains[0]
      for found in gains.dropFirst() {
        // Its bounds show which path it took.
        if found.facts != exact.facts { bands += 1 }
        try require(
          relativeError(found.plainGain, exact.plainGain) < 1e-11,
          "\(m) × \(n): \(found.plainGain), \(exact.plainGain)")
        try require(found.facts.damping == exact.facts.damping, "damping")
        for (a, b) in zip(found.foldGram?.products ?? [], exact.foldGram?.products ?? []) {
          try require(abs(a - b) <= 1e-11 * exact.plainGain.magnitude * 4, "\(a), \(b)")
        }
        try require((found.foldGram == nil) == (exact.foldGram == nil), "folds")
        if let noise = exact.predictedNoise {
          try require(relativeError(found.predictedNoise ?? 0, noise) < 1e-10, "noise")
        }
        try require(
          found.facts.smallestEigenvalue <= exact.facts.smallestEigenvalue * (1 + 1e-12)
            && found.facts.smallestEigenvalue >= found.facts.damping, "\(found.facts)")
        try require(
          found.facts.largestEigenvalue >= exact.facts.largestEigenvalue * (1 - 1e-12)
            && found.facts.largestEigenvalue <= exact.facts.largestEigenvalue * 1.01,
          "\(found.facts), \(exact.facts)")
      }
    }
    #expect(bands >= 40, "\(bands) of 48 by a band")
  }

  @Test("Each path gives the dense solve", arguments: paths)
  func dense(path: KroneckerPath) throws {
    try forEachCase(seed: 512, cases: 12) { generator, _ in
      let (m, n) = (generator.integer(in: 1...6), generator.integer(in: 1...6))
      let values = ModuleValues(outputs: m, inputs: n, &generator)
      let found = try gain(path) {
        $0.add("m.gradient", [m, n], values.gradient)
        $0.add("m.activation_covariance", [n, n], values.activation)
        $0.add("m.gradient_covariance", [m, m], values.output)
      }
      var matrix = DenseReference.kronecker(values, shiftA: 0, shiftG: 0)
      for index in matrix.indices { matrix[index][index] += found.facts.damping }
      let expected = DenseReference.quadraticForm(matrix, values.gradient)
      try require(relativeError(found.gain, expected) < 1e-10, "\(found.gain), \(expected)")
    }
  }

  @Test("A diagonal factor leaves the band to the other", arguments: [true, false])
  func diagonal(isActivation: Bool) throws {
    var generator = SeededGenerator(seed: 513)
    let (m, n) = (41, 53)
    let values = ModuleValues(outputs: m, inputs: n, &generator)
    let gains = try Self.paths.map { path in
      try gain(path) {
        $0.add("m.gradient", [m, n], values.gradient)
        if isActivation {
          $0.add("m.activation_covariance", [n], (0..<n).map { values.activation[$0 * n + $0] })
          $0.add("m.gradient_covariance", [m, m], values.output)
        } else {
          $0.add("m.activation_covariance", [n, n], values.activation)
          $0.add("m.gradient_covariance", [m], (0..<m).map { values.output[$0 * m + $0] })
        }
      }.gain
    }
    #expect(relativeError(gains[1], gains[0]) < 1e-11)
    #expect(relativeError(gains[2], gains[0]) < 1e-11)
  }

  /// Negative eigenvalues count as 0, which a band cannot know; nor does it divide by no damping at all.
  @Test(
    "Where only eigenvalues know the answer, every path gives their bits",
    arguments: [Damping.relative(0.1), .relative(1e-14), .absolute(0)], [false, true])
  func givesWay(damping: Damping, isIndefinite: Bool) throws {
    var generator = SeededGenerator(seed: 514)
    let (m, n) = (39, 44)
    let values = ModuleValues(outputs: m, inputs: n, &generator)
    var (activation, output) = (values.activation, values.output)
    if isIndefinite {
      for index in 0..<n { activation[index * n + index] -= 0.2 * activation[0] }
      for index in 0..<m { output[index * m + index] -= 0.2 * output[0] }
      for index in 0..<n { activation[index * n + index] = abs(activation[index * n + index]) }
      for index in 0..<m { output[index * m + index] = abs(output[index * m + index]) }
    }
    func found(_ path: KroneckerPath) -> String {
      do {
        let found = try gain(path, damping: damping) {
          $0.add("m.gradient", [m, n], values.gradient)
          $0.add("m.activation_covariance", [n, n], activation)
          $0.add("m.gradient_covariance", [m, m], output)
        }
        let negative = (found.facts.clamped?.count ?? 0) > 0
        return "\(negative ? "negativeFound" : "") \(found)"
      } catch { return "\(error)" }
    }
    let exact = found(.eigenbases)
    let band = found(.band(of: .activation))
    // Else there would be nothing to give way to.
    #expect((band == exact) == (isIndefinite || damping != .relative(0.1)))
    if damping != .absolute(0) { #expect(isIndefinite == exact.contains("negativeFound")) }
    #expect(found(.band(of: .gradient)) == exact || (!isIndefinite && damping == .relative(0.1)))
  }

  @Test("An aliased factor is reduced once and gives the bits of a copy", arguments: paths)
  func shared(path: KroneckerPath) throws {
    var generator = SeededGenerator(seed: 515)
    let shared = ModuleValues(outputs: 1, inputs: 50, &generator).activation
    let modules = ["l.0.q", "l.0.k"].map { ($0, ModuleValues(outputs: 40, inputs: 50, &generator)) }
    func gains(isAliased: Bool) throws -> (gains: [Double], shared: Int) {
      try temporaryFolder { folder in
        var builder = StatisticsBuilder()
        for (index, (name, values)) in modules.enumerated() {
          builder.add("\(name).gradient", [40, 50], values.gradient)
          builder.add("\(name).gradient_covariance", [40, 40], values.output)
          if !isAliased || index == 0 {
            builder.add("\(name).activation_covariance", [50, 50], shared)
          }
        }
        if isAliased {
          builder.metadata["alias"] =
            #"{"l.0.k.activation_covariance": "l.0.q.activation_covariance"}"#
        }
        try builder.write(to: folder + "/s.safetensors")
        var options = GainOptions(kind: .kronecker, precision: .double)
        options.kroneckerPath = path
        let statistics = try Statistics(path: folder)
        var computer = GainComputer(statistics: statistics, options: options)
        var gains: [Double] = []
        for module in statistics.modules { gains.append(try computer.gain(of: module).gain) }
        return (gains, computer.sharedFactors)
      }
    }
    let (copies, aliases) = (try gains(isAliased: false), try gains(isAliased: true))
    #expect(copies.gains == aliases.gains)
    #expect(copies.shared == 0 && aliases.shared == 1)
  }
}
