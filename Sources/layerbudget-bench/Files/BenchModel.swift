internal import FoundationEssentials
internal import TensorFiles

/// A checkpoint of square BF16 matrices, statistics with one covariance for all of them, and a plan that
/// removes half of every matrix; in a folder of their own.
struct BenchModel {
  let folder: String
  let order: Int
  let modules: Int

  var checkpoint: String { "\(folder)/model" }
  var statistics: String { "\(folder)/statistics.safetensors" }
  var plan: String { "\(folder)/plan.json" }
  var byteCount: Int { 2 * order * order * modules }

  /// Writes all of it; the matrices hold the same values, which no measurement sees.
  func write(seed: UInt64) throws {
    try FileManager.default.createDirectory(
      atPath: checkpoint, withIntermediateDirectories: true)
    var draws = NormalDraws(seed: seed)
    let names = (0..<modules).map { "model.layers.\($0).mlp.up_proj" }

    // 1. The checkpoint.
    var words: [UInt8] = []
    words.reserveCapacity(2 * order * order)
    for _ in 0..<order * order {
      let bits = (0.02 * draws.next()).bitPattern
      words.append(UInt8(truncatingIfNeeded: bits >> 16))
      words.append(UInt8(truncatingIfNeeded: bits >> 24))
    }
    try TensorFileWriter.write(
      names.map { ("\($0).weight", .bfloat16, [order, order], words) }, metadata: ["format": "pt"],
      to: "\(checkpoint)/model.safetensors")
    try Data(#"{"model_type": "llama"}"#.utf8).write(
      to: URL(filePath: "\(checkpoint)/config.json"))

    // 2. Second moments: a strong diagonal, so that every precision can factorize them.
    var moments = [Float](repeating: 0, count: order * order)
    for row in 0..<order {
      for column in 0..<row {
        let value = 0.3 * draws.next() / Float(order).squareRoot()
        moments[row * order + column] = value
        moments[column * order + row] = value
      }
      moments[row * order + row] = 1 + draws.next().magnitude
    }
    let gradient = [Float](repeating: 0, count: order * order)
    let aliases = names.dropFirst().flatMap { name in
      ["activation_covariance", "gradient"].map { "\"\(name).\($0)\": \"\(names[0]).\($0)\"" }
    }
    try TensorFileWriter.write(
      [
        (
          "\(names[0]).activation_covariance", .float32, [order, order],
          TensorFileWriter.bytes(of: moments)
        ),
        (
          "\(names[0]).gradient", .float32, [order, order], TensorFileWriter.bytes(of: gradient)
        ),
      ],
      metadata: [
        "format": "layerbudget.statistics/1", "alias": "{\(aliases.joined(separator: ", "))}",
      ], to: statistics)

    // 3. The plan.
    let units = names.map {
      #"{"name": "\#($0)", "integer": \#(order * order / 2), "modules": ["\#($0)"]}"#
    }
    let plan = """
      {"format": "layerbudget.plan/1", "program": "pruning", "units": [\(units.joined(separator: ", "))]}
      """
    try Data(plan.utf8).write(to: URL(filePath: self.plan))
  }

  func remove() {
    try? FileManager.default.removeItem(atPath: folder)
  }
}

/// Nearly normal numbers: a sum of four uniform ones.
struct NormalDraws {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 2 &+ 1 }

  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    var bits = state ^ state >> 29
    var sum: UInt64 = 0
    for _ in 0..<4 {
      sum += bits & 0xFFFF
      bits >>= 16
    }
    // Four uniform numbers of variance 1/12 each.
    return (Float(sum) / 65535 - 2) * 1.732
  }
}
