internal import DenseLinearAlgebra
internal import FoundationEssentials
internal import TensorFiles

/// A statistics file of one made-up module, written for a benchmark and removed after it.
///
/// Each rank has its own file and its own module of the same shape: all ranks work at once, on memory
/// that they do not share.
struct RandomModule: ~Copyable {
  let outputs: Int
  let inputs: Int
  let path: String

  init(outputs: Int, inputs: Int, seed: Int, holding contents: Contents) throws {
    self.outputs = outputs
    self.inputs = inputs
    path =
      FileManager.default.temporaryDirectory.path
      + "/layerbudget-bench-\(ProcessInfo.processInfo.processIdentifier).safetensors"
    var draws = RandomDraws(seed: UInt64(seed))
    var tensors: [(name: String, elementType: ElementType, shape: [Int], bytes: [UInt8])] = []
    func add(_ key: String, _ shape: [Int], _ values: [Float]) {
      tensors.append(("m.\(key)", .float32, shape, TensorFileWriter.bytes(of: values)))
    }
    add("gradient", [outputs, inputs], Self.numbers(outputs * inputs, &draws))
    switch contents {
    case .covariances:
      add("activation_covariance", [inputs, inputs], Self.covariance(inputs, &draws))
      add("gradient_covariance", [outputs, outputs], Self.covariance(outputs, &draws))
    case .eigenbasis:
      add("activation_eigenvectors", [inputs, inputs], Self.reflection(inputs, &draws))
      add("gradient_eigenvectors", [outputs, outputs], Self.reflection(outputs, &draws))
      add(
        "lambda_matrix", [outputs, inputs],
        Self.numbers(outputs * inputs, &draws).map { ($0 + 0.6) * ($0 + 0.6) })
    case .captures(let samples, let tokens):
      tensors.removeAll()
      let total = samples * tokens
      add("token_inputs", [total, inputs], Self.numbers(total * inputs, &draws))
      add("token_output_gradients", [total, outputs], Self.numbers(total * outputs, &draws))
      tensors.append(
        (
          "m.sample_offsets", .signed64, [samples + 1],
          TensorFileWriter.bytes(of: (0...samples).map { Int64($0 * tokens) })
        ))
    }
    try TensorFileWriter.write(
      tensors, metadata: ["format": "layerbudget.statistics/1"], to: path)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  enum Contents {
    /// A and G.
    case covariances
    /// Q_A, Q_G and Λ.
    case eigenbasis
    /// Raw tokens of so many samples, so many tokens each.
    case captures(samples: Int, tokens: Int)
  }

  private static func numbers(_ count: Int, _ draws: inout RandomDraws) -> [Float] {
    (0..<count).map { _ in Float(Double(draws.next() >> 11) * 0x1p-53 - 0.5) }
  }

  /// XᵀX/T of T = 2 order samples, plus a third of its mean eigenvalue: a full spectrum, as covariances
  /// have it, so that no eigensolver finds its work done, and conditions that single precision can
  /// bear. Above an order of 4096, where that takes minutes, 2^−|i−j|.
  private static func covariance(_ order: Int, _ draws: inout RandomDraws) -> [Float] {
    guard order <= 4096 else {
      var values = [Float](repeating: 0, count: order * order)
      for row in 0..<order {
        for column in max(row - 100, 0)..<min(row + 100, order) {
          values[row * order + column] = Float(
            sign: .plus, exponent: -abs(row - column), significand: 1)
        }
      }
      return values
    }
    let samples = Matrix<Float>(rows: 2 * order, columns: order) { fill(&$0, &draws) }
    var gram = product(samples, transposedA: true, samples)
    gram.scale(by: 1 / Float(2 * order))
    _ = gram.symmetrize()
    gram.addToDiagonal(Float(gram.trace / Double(3 * order)))
    return gram.elements()
  }

  /// I − 2 v vᵀ/‖v‖², an orthogonal matrix without zeros.
  private static func reflection(_ order: Int, _ draws: inout RandomDraws) -> [Float] {
    let v = numbers(order, &draws)
    let size = v.reduce(0) { $0 + $1 * $1 }
    return v.indices.flatMap { row in
      v.indices.map { (row == $0 ? 1 : 0) - 2 * v[row] * v[$0] / size }
    }
  }
}
