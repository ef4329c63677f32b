import Curvature
import Foundation
import TestSupport
import Testing

/// Folders made by the real kronfluence, against the values of its own `precondition_gradient`.
/// `Fixtures/kronfluence/README.md` says how they were made.
@Suite("kronfluence folders")
struct KronfluenceTests {
  private struct Expected: Decodable {
    struct Values: Decodable {
      struct Module: Decodable { let value: Double }
      let damping: Double?
      let modules: [String: Module]

      enum CodingKeys: String, CodingKey {
        case damping = "damping_factor"
        case modules
      }
    }
    struct Folder: Decodable {
      let curvature: String
      let values: [Values]
    }
    let folders: [String: Folder]
  }

  private static var root: String {
    (Bundle.module.resourcePath ?? "") + "/Fixtures/kronfluence"
  }

  private static func expected() throws -> Expected {
    try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: URL(fileURLWithPath: root + "/expected.json")))
  }

  private static func gains(
    _ path: String, _ kind: CurvatureKind, _ damping: Damping, rule: GainRule = .plain
  ) throws -> [String: ModuleGain] {
    let statistics = try Statistics(path: path)
    var computer = GainComputer(
      statistics: statistics,
      options: GainOptions(kind: kind, damping: damping, precision: .double, rule: rule))
    var gains: [String: ModuleGain] = [:]
    for module in statistics.modules { gains[module.name] = try computer.gain(of: module) }
    return gains
  }

  @Test(
    "Every strategy gives kronfluence's own preconditioned product",
    arguments: [
      "kfac", "ekfac", "diagonal", "identity", "ekfac_partitions", "ekfac_partitions_only",
    ])
  func agreement(folder: String) throws {
    let expected = try #require(try Self.expected().folders[folder])
    let kind = try #require(CurvatureKind(rawValue: expected.curvature))
    for values in expected.values {
      // Without a factor kronfluence damps by a tenth of the mean eigenvalue.
      let damping = values.damping.map { Damping.absolute($0) } ?? .relative(0.1)
      let found = try Self.gains("\(Self.root)/\(folder)", kind, damping)
      #expect(found.count == values.modules.count)
      for (name, module) in values.modules {
        let gain = try #require(found[name]).gain
        let error = relativeError(gain, module.value)
        #expect(error < 1e-6, "\(folder), \(name), \(damping): \(gain), not \(module.value)")
      }
    }
  }

  @Test("BF16 factors: EK-FAC as stored; negative eigenvalues are clamped, counted and finite")
  func bfloat16() throws {
    let folder = "\(Self.root)/ekfac_bfloat16"
    let expected = try #require(try Self.expected().folders["ekfac_bfloat16"])
    for values in expected.values {
      let damping = values.damping.map { Damping.absolute($0) } ?? .relative(0.1)
      for (name, gain) in try Self.gains(folder, .ekfac, damping) {
        let value = try #require(values.modules[name]).value
        #expect(relativeError(gain.gain, value) < 1e-6, "\(name): \(gain.gain), not \(value)")
      }
    }
    let clamped = try Self.gains(folder, .kronecker, .absolute(1e-8)).values
    #expect(clamped.contains { ($0.facts.clamped?.count ?? 0) > 0 })
    #expect(clamped.allSatisfy { $0.gain.isFinite && $0.gain >= 0 })
    #expect(clamped.contains { ($0.facts.clamped?.largestRatio ?? 0) > ClampedEigenvalues.alarm })
  }

  @Test("Sums are taken from the aggregate or from the partitions, never from both")
  func partitions() throws {
    let aggregate = try Self.gains("\(Self.root)/ekfac_partitions", .kronecker, .relative(0.1))
    let parts = try Self.gains("\(Self.root)/ekfac_partitions_only", .kronecker, .relative(0.1))
    #expect(aggregate.count == 8)
    for (name, gain) in aggregate {
      #expect(relativeError(try #require(parts[name]).gain, gain.gain) < 1e-6)
      #expect(parts[name]?.tokens == 180 && gain.tokens == 180)
      #expect(parts[name]?.samples == 24 && gain.samples == 24)
    }
  }

  @Test("Folds beside the factors are cross-fitted, and modules come in depth order")
  func foldsAndOrder() throws {
    let folder = "\(Self.root)/ekfac"
    #expect(try Self.gains(folder, .ekfac, .relative(0.1), rule: .crossFitted).count == 8)
    let names = try Statistics(path: folder).modules.map(\.name)
    let up = try #require(names.firstIndex(of: "layers.2.mlp.up"))
    #expect(try up < #require(names.firstIndex(of: "layers.10.mlp.up")))
  }

  @Test("What kronfluence did not compute is refused by name, not guessed")
  func refusals() throws {
    func message(_ folder: String, _ kind: CurvatureKind) throws -> String {
      do {
        _ = try Self.gains(folder, kind, .relative(0.1))
        return "no error"
      } catch let error as CurvatureError {
        return "\(error)"
      }
    }
    // The files of lambda look alike; the strategy says which it is.
    let asDiagonal = try message("\(Self.root)/ekfac", .diagonal)
    #expect(asDiagonal.contains("fisher_diagonal"), "\(asDiagonal)")
    let asEKFAC = try message("\(Self.root)/diagonal", .ekfac)
    #expect(asEKFAC.contains("lambda_matrix"), "\(asEKFAC)")

    try temporaryFolder { folder in
      let copy = folder + "/factors"
      func fresh(_ name: String) throws {
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.copyItem(atPath: "\(Self.root)/\(name)", toPath: copy)
      }
      func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: copy + "/" + name)
      }
      try fresh("kfac")
      try remove("mean_gradient.safetensors")
      let gradient = try message(copy, .kronecker)
      #expect(gradient.contains("--from-kronfluence"), "\(gradient)")

      try fresh("ekfac_partitions_only")
      try remove("gradient_covariance_data_partition1_module_partition0.safetensors")
      let part = try message(copy, .kronecker)
      #expect(
        part.contains("data_partition1_module_partition0") && part.contains("missing"), "\(part)")

      try fresh("ekfac")
      try remove("num_activation_covariance_processed.safetensors")
      let count = try message(copy, .kronecker)
      #expect(count.contains("num_tokens"), "\(count)")
    }
  }
}
