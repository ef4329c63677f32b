import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite("Memory")
struct MemoryTests {
  private struct Run: Decodable {
    let peakBytes: Int

    enum CodingKeys: String, CodingKey {
      case peakBytes = "peak_bytes"
    }
  }

  private func peak(_ path: String) throws -> Int {
    try JSONDecoder().decode(Run.self, from: Data(contentsOf: URL(filePath: path))).peakBytes
  }

  /// A file of `modules` F64 tensors [order, order]: a 1 each, and else a hole, which reads as zeros.
  private func writeHole(_ path: String, of quantity: String, modules: Int, order: Int) throws {
    let size = 8 * order * order
    let entries = (0..<modules).map { module in
      """
      "model.layers.\(module).mlp.up_proj.\(quantity)":{"dtype":"F64",\
      "shape":[\(order),\(order)],"data_offsets":[\(module * size),\((module + 1) * size)]}
      """
    }
    var header = Data(
      """
      {"__metadata__":{"format":"layerbudget.statistics/1"},\(entries.joined(separator: ","))}
      """.utf8)
    header.append(Data(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
    let file = Data(TensorFileWriter.bytes(of: [Int64(header.count)])) + header
    try file.write(to: URL(filePath: path))
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: UInt64(file.count + modules * size))
    for module in 0..<modules {
      try handle.seek(toOffset: UInt64(file.count + module * size))
      try handle.write(contentsOf: Data(TensorFileWriter.bytes(of: [1.0])))
    }
    try handle.close()
  }

  /// Beside twice the working set, what a process of this program takes without any data.
  private static let allowance = 64 << 20

  @Test("Scoring a slice takes the memory of its largest module, however large the slice is")
  func scoring() throws {
    try temporaryFolder { folder in
      let order = 512
      // A gradient, and what becomes of it.
      let workingSet = 2 * 8 * order * order
      var peaks: [Int] = []
      for modules in [2, 32] {
        let statistics = "\(folder)/\(modules).safetensors"
        try writeHole(statistics, of: "gradient", modules: modules, order: order)
        let outcome = try Tool.run([
          "score", "--statistics", statistics, "--curvature", "identity", "-o",
          "\(folder)/scores.json",
        ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        peaks.append(try peak("\(folder)/scores.run.json"))
      }
      #expect(peaks[1] <= 2 * workingSet + Self.allowance)
      #expect(30 * 8 * order * order > 6 * 2 * workingSet)
      #expect(peaks[1] - peaks[0] <= 2 * workingSet)
    }
  }

  @Test("Factors of modules that are done are not held: memory does not grow with their number")
  func factors() throws {
    try temporaryFolder { folder in
      let order = 256
      let gradient = [Float](repeating: 1, count: order * order)
      let factor = (0..<order * order).map { Float($0 % (order + 1) == 0 ? 2 : 0.001) }
      var peaks: [Int] = []
      for modules in [4, 64] {
        var builder = StatisticsBuilder()
        let names = (0..<modules).map { "model.layers.\($0).mlp.up_proj" }
        let shape = [order, order]
        builder.addSingle(names.map { "\($0).gradient" }, shape, gradient)
        builder.addSingle(names.map { "\($0).activation_covariance" }, shape, factor)
        builder.addSingle(names.map { "\($0).gradient_covariance" }, shape, factor)
        try builder.write(to: "\(folder)/s.safetensors")
        let outcome = try Tool.run([
          "score", "--statistics", "\(folder)/s.safetensors", "--precision", "double", "-o",
          "\(folder)/scores.json", "--no-resume",
        ])
        #expect(outcome.status == 0, "\(outcome.errors)")
        peaks.append(try peak("\(folder)/scores.run.json"))
      }
      // The other 60 modules, were their matrices held in double precision; a quarter of that is noise
      // of a process's peak (some megabytes) and far less than any hoard of factors.
      let heldModules = 60 * 3 * 8 * order * order
      #expect(peaks[1] - peaks[0] <= heldModules / 4, "\(peaks)")
    }
  }

  @Test("Pruning a checkpoint takes the memory of pieces, however large the checkpoint is")
  func applying() throws {
    try temporaryFolder { folder in
      let (modules, order) = (32, 512)
      let model = "\(folder)/model"
      try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: false)
      try writeHole(
        "\(model)/model.safetensors", of: "weight", modules: modules, order: order)
      let units = (0..<modules).map {
        """
        {"name":"\($0)","integer":\(order * order / 2),"modules":["model.layers.\($0).mlp.up_proj"]}
        """
      }
      let plan = "\(folder)/plan.json"
      try Data(
        """
        {"format":"layerbudget.plan/1","program":"pruning","units":[\(units.joined(separator: ","))]}
        """.utf8
      ).write(to: URL(filePath: plan))
      let outcome = try Tool.run(["apply", plan, "--checkpoint", model, "-o", "\(folder)/out"])
      #expect(outcome.status == 0, "\(outcome.errors)")
      // It walks over the file in pieces of 256 KiB, each with its comparison.
      let bound = (4 << 18) + Self.allowance
      #expect(try peak("\(folder)/out.run.json") <= bound)
    }
  }
}
