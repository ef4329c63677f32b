import Foundation
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

  /// A file of `modules` F64 tensors [order, order] whose data are a hole, which reads as zeros.
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
    var length = UInt64(header.count).littleEndian
    let file = withUnsafeBytes(of: &length) { Data($0) } + header
    try file.write(to: URL(filePath: path))
    let handle = try #require(FileHandle(forWritingAtPath: path))
    try handle.truncate(atOffset: UInt64(file.count + modules * size))
    try handle.close()
  }

  /// Beside twice the working set, what a process of this program takes without any data.
  private static let allowance = 64 << 20

  @Test("A slice several times as large as the allowed memory is scored within it")
  func scoring() throws {
    try temporaryFolder { folder in
      let (modules, order) = (128, 512)
      let statistics = "\(folder)/s.safetensors"
      try writeHole(statistics, of: "gradient", modules: modules, order: order)
      let outcome = try Tool.run([
        "score", "--statistics", statistics, "--curvature", "identity", "-o",
        "\(folder)/scores.json",
      ])
      #expect(outcome.status == 0, "\(outcome.errors)")
      // A gradient, and what becomes of it.
      let workingSet = 2 * 8 * order * order
      let bound = 2 * workingSet + Self.allowance
      #expect(modules * order * order * 8 > 3 * bound)
      #expect(try peak("\(folder)/scores.run.json") <= bound)
    }
  }

  @Test("A checkpoint several times as large as the allowed memory is pruned within it")
  func applying() throws {
    try temporaryFolder { folder in
      let (modules, order) = (112, 512)
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
      #expect(modules * order * order * 8 > 3 * bound)
      #expect(try peak("\(folder)/out.run.json") <= bound)
    }
  }
}
