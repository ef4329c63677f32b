import Curvature
import TestSupport
import Testing

@Suite("Spectra of whitened gradients")
struct SpectrumTests {
  private func gain(
    _ kind: CurvatureKind, _ precision: Precision = .double, wantsSpectrum: Bool = true,
    _ build: (inout StatisticsBuilder) -> Void
  ) throws -> ModuleGain {
    try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      build(&builder)
      let path = folder + "/statistics.safetensors"
      try builder.write(to: path)
      let statistics = try Statistics(path: path)
      var options = GainOptions(kind: kind, precision: precision)
      options.wantsSpectrum = wantsSpectrum
      var computer = GainComputer(statistics: statistics, options: options)
      return try computer.gain(of: statistics.modules[0])
    }
  }

  @Test("Squares add up to the plain gain: full rank takes ζ²/2 away", arguments: [1, 2])
  func fullRank(kindNumber: Int) throws {
    let kind: CurvatureKind = kindNumber == 1 ? .kfac : .identity
    for (precision, tolerance) in [(Precision.double, 1e-12), (.single, 1e-5)] {
      try forEachCase(seed: 71, cases: 20) { generator, _ in
        let (m, n) = (generator.integer(in: 1...12), generator.integer(in: 1...12))
        let found = try gain(kind, precision) {
          $0.addModule("m", outputs: m, inputs: n, &generator)
        }
        let spectrum = try #require(found.spectrum)
        let sum = spectrum.reduce(0) { $0 + $1 * $1 }
        try require(spectrum.count == min(m, n), "\(spectrum.count) values of \(m) × \(n)")
        try require(spectrum == spectrum.sorted(by: >), "\(spectrum)")
        try require(
          relativeError(sum, found.plainGain) < tolerance, "\(sum), not \(found.plainGain)")
      }
    }
  }

  @Test("It is there only where it was asked for, and does not change the gain")
  func onlyWhenAsked() throws {
    func once(_ wanted: Bool) throws -> ModuleGain {
      var generator = SeededGenerator(seed: 72)
      return try gain(.kfac, wantsSpectrum: wanted) {
        $0.addModule("m", outputs: 5, inputs: 7, &generator)
      }
    }
    let (with, without) = (try once(true), try once(false))
    #expect(without.spectrum == nil && with.spectrum?.count == 5)
    #expect(with.plainGain == without.plainGain && with.facts == without.facts)
  }

  @Test("The best update of rank r in the damped curvature takes half the first r squares away")
  func bestUpdate() throws {
    // With A = 4 I and G = I, undamped, W is halved: σ of diag(6, 2) are 3 and 1.
    let found = try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      builder.add("m.gradient", [2, 2], [0, 6, 2, 0])
      builder.add("m.activation_covariance", [2, 2], [4, 0, 0, 4])
      builder.add("m.gradient_covariance", [2], [1, 1])
      let path = folder + "/statistics.safetensors"
      try builder.write(to: path)
      let statistics = try Statistics(path: path)
      var options = GainOptions(damping: .absolute(0), precision: .double)
      options.wantsSpectrum = true
      var computer = GainComputer(statistics: statistics, options: options)
      return try computer.gain(of: statistics.modules[0])
    }
    let spectrum = try #require(found.spectrum)
    #expect(abs(spectrum[0] - 3) < 1e-15 && abs(spectrum[1] - 1) < 1e-15)
  }

  @Test("A gradient of rank one has one value above 0, whatever rounding leaves")
  func lowRank() throws {
    for precision in [Precision.double, .single] {
      var generator = SeededGenerator(seed: 73)
      let (u, v) = (
        (0..<9).map { _ in generator.normal() }, (0..<6).map { _ in generator.normal() }
      )
      let found = try gain(.kfac, precision) {
        let values = ModuleValues(outputs: 9, inputs: 6, &generator)
        $0.add("m.gradient", [9, 6], u.flatMap { a in v.map { a * $0 } })
        $0.add("m.activation_covariance", [6, 6], values.activation)
        $0.add("m.gradient_covariance", [9, 9], values.output)
      }
      let spectrum = try #require(found.spectrum)
      #expect(spectrum.filter { $0 > 0 }.count == 1, "\(spectrum)")
    }
  }

  @Test("A module stored transposed has the same values, a module without gradient none above 0")
  func layouts() throws {
    var generator = SeededGenerator(seed: 74)
    let values = ModuleValues(outputs: 4, inputs: 6, &generator)
    func spectrum(transposed: Bool, scale: Double = 1) throws -> [Double] {
      try #require(
        try gain(.kfac) { builder in
          if transposed { builder.metadata["weight_layout"] = "in_out" }
          let stored =
            transposed
            ? (0..<24).map { values.gradient[$0 % 4 * 6 + $0 / 4] } : values.gradient
          builder.add(
            "m.gradient", transposed ? [6, 4] : [4, 6], stored.map { $0 * scale })
          builder.add("m.activation_covariance", [6, 6], values.activation)
          builder.add("m.gradient_covariance", [4, 4], values.output)
        }.spectrum)
    }
    #expect(try spectrum(transposed: true) == (try spectrum(transposed: false)))
    #expect(try spectrum(transposed: false, scale: 0) == [0, 0, 0, 0])
  }

  @Test("Only curvature of one matrix on either side has a spectrum")
  func kinds() {
    #expect(CurvatureKind.allCases.filter(\.hasSpectrum) == [.identity, .kfac])
  }
}
