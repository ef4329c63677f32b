import Foundation
import TensorFiles
import TestSupport
import Testing

/// How sure a plan is, against plans made one by one.
@Suite("Uncertainty of plans", .serialized)
struct UncertaintyTests {
  private struct Plan: Decodable {
    struct Unit: Decodable {
      let continuous: Double
      let error: Double?
      let range: [Double]?
      enum CodingKeys: String, CodingKey {
        case continuous
        case error = "continuous_standard_error"
        case range = "continuous_range"
      }
    }
    struct Parameters: Decodable { let gamma: Double? }
    let units: [Unit]
    let parameters: Parameters
    let noise: Double?
    enum CodingKeys: String, CodingKey {
      case units, parameters
      case noise = "noise_regret"
    }
  }
  private struct Regret: Decodable {
    let regret: Double
    let noise: Double?
    enum CodingKeys: String, CodingKey {
      case regret
      case noise = "noise_regret"
    }
  }

  private static let gains = [4.0, 1, 6, 2.5, 3]
  /// Of four folds; one of them negative, which counts as 0.
  private static let without: [[Double]] = [
    [4.4, 3.7, 4.1, 3.8], [1.9, 0.7, 1.5, -0.1], [6.2, 5.5, 6.1, 6.2], [2.5, 2.6, 2.4, 2.5],
    [3.3, 2.9, 3.2, 2.6],
  ]

  private func write(_ gains: [Double], folds: Bool, to path: String) throws {
    let units = gains.enumerated().map { index, gain in
      #"{"name":"layers.\#(index)","gain":\#(gain),"parameters":\#(100 + index)"#
        + (folds ? #","gain_without_fold":\#(Self.without[index])}"# : "}")
    }
    let text =
      #"{"format":"layerbudget.scores/1","curvature":"kfac","damping":"relative:0.1","units":["#
      + units.joined(separator: ",") + "]}"
    try DurableFile.write(Array(text.utf8), to: path)
  }

  private func decoded<Document: Decodable>(
    _ type: Document.Type, _ arguments: [String], in folder: String, ranks: Int? = nil
  ) throws -> Document {
    let output = "\(folder)/out.json"
    let outcome = try Tool.run(arguments + ["-o", output, "--quiet"], ranks: ranks)
    #expect(outcome.status == 0, "\(outcome.errors)")
    return try JSONDecoder().decode(type, from: contents(output))
  }

  @Test(
    "Standard errors, ranges and the cost of noise are those of plans without one fold each",
    arguments: [
      ["allocate", "--budget", "20"], ["allocate", "--budget", "20", "--utility", "power:0.4"],
      ["prune", "--sparsity", "0.5", "--max", "0.9"],
    ])
  func jackknife(command: [String]) throws {
    try temporaryFolder { folder in
      let all = "\(folder)/all.json"
      try write(Self.gains, folds: true, to: all)
      let plan = try decoded(Plan.self, command + ["--scores", all], in: folder, ranks: 2)
      let fixed = plan.parameters.gamma.map { ["--gamma", "\($0)"] } ?? []
      var answers: [[Double]] = []
      var regrets = 0.0
      for fold in 0..<4 {
        let path = "\(folder)/without.json"
        try write(Self.without.map { max($0[fold], 0) }, folds: false, to: path)
        let one = try decoded(Plan.self, command + fixed + ["--scores", path], in: folder)
        answers.append(one.units.map(\.continuous))
        let options = ["transfer", "--source", all, "--target", path]
        regrets +=
          try decoded(
            Regret.self, options + Array(command.dropFirst()) + fixed, in: folder
          ).regret
      }
      for (index, unit) in plan.units.enumerated() {
        let own = answers.map { $0[index] }
        let mean = own.reduce(0, +) / 4
        let error = (0.75 * own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }).squareRoot()
        #expect(abs((unit.error ?? -1) - error) < 1e-9)
        #expect(abs((unit.range?[0] ?? -1) - (own.min() ?? 0)) < 1e-9)
        #expect(abs((unit.range?[1] ?? -1) - (own.max() ?? 0)) < 1e-9)
      }
      #expect(abs((plan.noise ?? -1) - 0.75 * regrets) < 1e-9 && regrets > 0)
    }
  }

  @Test("Between two noisy sets of gains the noise of both is expected, under one gamma")
  func transfer() throws {
    try temporaryFolder { folder in
      let (source, target) = ("\(folder)/source.json", "\(folder)/target.json")
      try write(Self.gains, folds: true, to: source)
      try write([5, 1.5, 5.5, 2, 4], folds: true, to: target)
      let own = try decoded(
        Plan.self, ["allocate", "--budget", "20", "--scores", source], in: folder)
      let gamma = try #require(own.parameters.gamma)
      let other = try decoded(
        Plan.self, ["allocate", "--budget", "20", "--gamma", "\(gamma)", "--scores", target],
        in: folder)
      let judged = try decoded(
        Regret.self, ["transfer", "--source", source, "--target", target, "--budget", "20"],
        in: folder, ranks: 2)
      let expected = try #require(own.noise) + #require(other.noise)
      #expect(abs((judged.noise ?? -1) - expected) < 1e-12)
    }
  }

  @Test("Without folds nothing is said of it")
  func without() throws {
    try temporaryFolder { folder in
      let path = "\(folder)/scores.json"
      try write(Self.gains, folds: false, to: path)
      let plan = try decoded(
        Plan.self, ["allocate", "--budget", "20", "--scores", path], in: folder)
      #expect(plan.noise == nil && plan.units.allSatisfy { $0.error == nil && $0.range == nil })
    }
  }
}
