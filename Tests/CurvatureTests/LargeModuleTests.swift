import Curvature
import Foundation
import TestSupport
import Testing

/// Vocabulary-sized factors. The files are sparse: gigabytes long, but mostly holes.
@Suite("Modules with very large factors")
struct LargeModuleTests {
  private static let order = GainOptions.largestFactor + 1

  /// A module [2, 1] and one of `order` outputs with one input, its G dense in BF16 with 1 on the
  /// diagonal: 2 GiB of holes.
  private func write(in folder: String) throws -> String {
    let n = Self.order
    let path = folder + "/s.safetensors"
    let tensors: [(key: String, shape: [Int], bytes: Int)] = [
      ("head.gradient", [n, 1], 2 * n), ("head.activation_covariance", [1, 1], 2),
      ("head.gradient_covariance", [n, n], 2 * n * n), ("l.0.gradient", [2, 1], 4),
      ("l.0.activation_covariance", [1, 1], 2), ("l.0.gradient_covariance", [2, 2], 8),
    ]
    var offset = 0
    var offsets: [String: Int] = [:]
    var entries: [String] = []
    for tensor in tensors {
      offsets[tensor.key] = offset
      entries.append(
        #""\#(tensor.key)":{"dtype":"BF16","shape":\#(tensor.shape),"data_offsets":[\#(offset),\#(offset + tensor.bytes)]}"#
      )
      offset += tensor.bytes
    }
    var header = Array(
      (#"{"__metadata__":{"format":"layerbudget.statistics/1"},"#
        + entries.joined(separator: ",") + "}").utf8)
    while header.count % 8 != 0 { header.append(UInt8(ascii: " ")) }
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    let file = try #require(FileHandle(forWritingAtPath: path))
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    try file.write(contentsOf: Data(length + header))
    let start = 8 + header.count
    try file.truncate(atOffset: UInt64(start + offset))
    /// BF16 ones at element `index` of a tensor.
    func one(_ key: String, _ index: Int) throws {
      try file.seek(toOffset: UInt64(start + (offsets[key] ?? 0) + 2 * index))
      try file.write(contentsOf: Data([0x80, 0x3F]))
    }
    for index in 0..<n { try one("head.gradient_covariance", index * (n + 1)) }
    for index in [0, 5, n - 1] { try one("head.gradient", index) }
    for key in ["head.activation_covariance", "l.0.activation_covariance", "l.0.gradient"] {
      try one(key, 0)
    }
    for index in [0, 3] { try one("l.0.gradient_covariance", index) }
    try file.close()
    return path
  }

  @Test("An error by default, left out or diagonal on request, and never in a LAPACK workspace")
  func rules() throws {
    try temporaryFolder { folder in
      let statistics = try Statistics(path: try write(in: folder))
      let all = try UnitSelection().units(of: statistics.modules)
      for kind in [CurvatureKind.kfac, .kronecker] {
        func gains(_ rule: LargeFactorRule) throws -> (gains: [String: Double], notes: [String]) {
          let options = GainOptions(kind: kind, largeFactors: rule)
          let large = try LargeModules(of: all, under: options)
          var computer = GainComputer(statistics: statistics, options: options)
          var gains: [String: Double] = [:]
          for module in large.units.flatMap(\.modules) {
            gains[module.name] = try computer.gain(of: module).gain
          }
          return (gains, large.notes)
        }
        do {
          _ = try gains(.error)
          Issue.record("a factor above the limit was accepted")
        } catch {
          let text = "\(error)"
          #expect(text.contains("32767") && text.contains("32766"), "\(text)")
          #expect(text.contains("--large-modules"), "\(text)")
        }
        let skipped = try gains(.skip)
        #expect(skipped.gains.keys.sorted() == ["l.0"])
        #expect(skipped.notes.first?.contains("head") == true)
        let diagonal = try gains(.diagonal)
        // A = 1, G = I, three ones in W: 3/(1 + 0.1) exactly damped, 3/(1 + √0.1)² factored.
        let root = 1 + 0.1.squareRoot()
        let expected = kind == .kfac ? 3 / (root * root) : 3 / 1.1
        #expect(relativeError(diagonal.gains["head"] ?? 0, expected) < 1e-6)
        #expect(diagonal.notes.first?.contains("diagonal") == true)
      }
    }
  }

  @Test("A diagonal factor of any order needs no rule")
  func vocabulary() throws {
    let n = 50_257
    let gain = try temporaryFolder { folder in
      var builder = StatisticsBuilder()
      builder.addSingle("wte.gradient", [2, n], (0..<2 * n).map { $0 % 1000 == 0 ? 1 : 0 })
      builder.addSingle("wte.activation_covariance", [n], .init(repeating: 1, count: n))
      builder.add("wte.gradient_covariance", [2, 2], [1, 0, 0, 1])
      try builder.write(to: folder + "/s.safetensors")
      let statistics = try Statistics(path: folder)
      var computer = GainComputer(
        statistics: statistics, options: GainOptions(kind: .kronecker, precision: .double))
      return try computer.gain(of: statistics.modules[0]).gain
    }
    #expect(relativeError(gain, Double((2 * n + 999) / 1000) / 1.1) < 1e-12)
  }
}
