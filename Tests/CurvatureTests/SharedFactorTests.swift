import Curvature
import TestSupport
import Testing

@Suite("Factors that several modules share")
struct SharedFactorTests {
  /// Query, key and value of one block and the first of the next, all but the last on one A.
  private func gains(
    aliased: Bool, _ kind: CurvatureKind, _ damping: Damping, _ precision: Precision
  ) throws -> (gains: [String: Double], shared: Int) {
    var generator = SeededGenerator(seed: 410)
    let shared = ModuleValues(outputs: 1, inputs: 5, &generator).activation
    return try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      for (index, name) in ["l.0.q", "l.0.k", "l.0.v", "l.1.q"].enumerated() {
        let values = ModuleValues(outputs: 2 + index, inputs: 5, &generator)
        builder.add("\(name).gradient", [2 + index, 5], values.gradient)
        builder.add("\(name).gradient_covariance", [2 + index, 2 + index], values.output)
        if index == 3 {
          builder.add("\(name).activation_covariance", [5, 5], values.activation)
        } else if !aliased || index == 0 {
          builder.add("\(name).activation_covariance", [5, 5], shared)
        }
      }
      if aliased {
        builder.metadata["alias"] = """
          {"l.0.k.activation_covariance": "l.0.q.activation_covariance",
           "l.0.v.activation_covariance": "l.0.q.activation_covariance"}
          """
      }
      try builder.write(to: folder + "/s.safetensors")
      let statistics = try Statistics(path: folder)
      var computer = GainComputer(
        statistics: statistics,
        options: GainOptions(kind: kind, damping: damping, precision: precision))
      var gains: [String: Double] = [:]
      for module in GainComputer.computingOrder(statistics.modules) {
        gains[module.name] = try computer.gain(of: module).gain
      }
      return (gains, computer.sharedFactors)
    }
  }

  @Test(
    "An aliased factor is decomposed once, and gives the bits of stored copies",
    arguments: [CurvatureKind.kfac, .kronecker], Precision.allCases)
  func aliases(kind: CurvatureKind, precision: Precision) throws {
    let copies = try gains(aliased: false, kind, .relative(0.1), precision)
    let aliases = try gains(aliased: true, kind, .relative(0.1), precision)
    #expect(copies.gains == aliases.gains)
    #expect(copies.shared == 0)
    #expect(aliases.shared == 2)
  }

  @Test("With absolute damping the shift depends on both factors, and the gain does not suffer")
  func absoluteDamping() throws {
    let copies = try gains(aliased: false, .kfac, .absolute(0.02), .double)
    let aliases = try gains(aliased: true, .kfac, .absolute(0.02), .double)
    #expect(copies.gains == aliases.gains)
    // The exact damping is added to the product: there the decomposition serves all the same.
    let exact = try gains(aliased: true, .kronecker, .absolute(0.02), .double)
    #expect(exact.shared == 2)
  }

  @Test(
    "A module without any gradient may share its inputs with a live one",
    arguments: [CurvatureKind.kfac, .kronecker], Precision.allCases)
  func deadNeighbour(kind: CurvatureKind, precision: Precision) throws {
    var generator = SeededGenerator(seed: 411)
    let live = ModuleValues(outputs: 3, inputs: 4, &generator)
    try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      for name in ["a", "b", "c"] {
        let isDead = name == "b"
        builder.add(
          "\(name).gradient", [3, 4], live.gradient.map { isDead ? 0 : $0 })
        builder.add("\(name).gradient_covariance", [3, 3], live.output.map { isDead ? 0 : $0 })
      }
      builder.add("a.activation_covariance", [4, 4], live.activation)
      builder.metadata["alias"] = """
        {"b.activation_covariance": "a.activation_covariance",
         "c.activation_covariance": "a.activation_covariance"}
        """
      try builder.write(to: folder + "/s.safetensors")
      let statistics = try Statistics(path: folder)
      var computer = GainComputer(
        statistics: statistics, options: GainOptions(kind: kind, precision: precision))
      var gains: [Double] = []
      for module in statistics.modules { gains.append(try computer.gain(of: module).gain) }
      #expect(gains[0] > 0 && gains[1] == 0 && gains[2] == gains[0])
      #expect(computer.sharedFactors >= 1)
    }
  }
}
