internal import TensorFiles

/// Builds small statistics files for tests, tensor by tensor.
public struct StatisticsBuilder {
  public var metadata = ["format": "layerbudget.statistics/1"]
  private var tensors: [(name: String, elementType: ElementType, shape: [Int], bytes: [UInt8])] = []

  public init() {}

  public mutating func add(_ key: String, _ shape: [Int], _ values: [Double]) {
    tensors.append((key, .float64, shape, TensorFileWriter.bytes(of: values)))
  }

  public mutating func addSingle(_ key: String, _ shape: [Int], _ values: [Float]) {
    tensors.append((key, .float32, shape, TensorFileWriter.bytes(of: values)))
  }

  /// The same tensor under many names, converted once.
  public mutating func addSingle(_ keys: [String], _ shape: [Int], _ values: [Float]) {
    let bytes = TensorFileWriter.bytes(of: values)
    tensors += keys.map { ($0, .float32, shape, bytes) }
  }

  public mutating func addCount(_ key: String, _ count: Int64) { addIntegers(key, [count]) }

  public mutating func addIntegers(_ key: String, _ values: [Int64]) {
    tensors.append((key, .signed64, [values.count], TensorFileWriter.bytes(of: values)))
  }

  /// A module with random gradient, well-conditioned factors and diagonal. Returns its values.
  @discardableResult
  public mutating func addModule(
    _ name: String, outputs: Int, inputs: Int, _ generator: inout SeededGenerator
  ) -> ModuleValues {
    let values = ModuleValues(outputs: outputs, inputs: inputs, &generator)
    add("\(name).gradient", [outputs, inputs], values.gradient)
    add("\(name).activation_covariance", [inputs, inputs], values.activation)
    add("\(name).gradient_covariance", [outputs, outputs], values.output)
    add("\(name).fisher_diagonal", [outputs, inputs], values.fisher)
    return values
  }

  public func write(to path: String) throws {
    try TensorFileWriter.write(tensors, metadata: metadata, to: path)
  }
}

/// Row-major values of one module.
public struct ModuleValues: Sendable {
  public let outputs: Int
  public let inputs: Int
  /// W [outputs, inputs].
  public var gradient: [Double]
  /// A [inputs, inputs].
  public var activation: [Double]
  /// G [outputs, outputs].
  public var output: [Double]
  /// F [outputs, inputs].
  public var fisher: [Double]

  public init(
    outputs: Int, inputs: Int, gradient: [Double], activation: [Double], output: [Double],
    fisher: [Double]
  ) {
    self.outputs = outputs
    self.inputs = inputs
    self.gradient = gradient
    self.activation = activation
    self.output = output
    self.fisher = fisher
  }

  public init(outputs: Int, inputs: Int, _ generator: inout SeededGenerator) {
    self.outputs = outputs
    self.inputs = inputs
    gradient = (0..<outputs * inputs).map { _ in generator.normal() }
    activation = Self.secondMoment(inputs, samples: inputs + 3, &generator)
    output = Self.secondMoment(outputs, samples: outputs + 3, &generator)
    fisher = (0..<outputs * inputs).map { _ in generator.uniform(in: 0...2) }
  }

  /// XᵀX / samples for normal X [samples, order], exactly symmetric.
  public static func secondMoment(
    _ order: Int, samples: Int, _ generator: inout SeededGenerator
  ) -> [Double] {
    var sum = [Double](repeating: 0, count: order * order)
    for _ in 0..<samples {
      let x = (0..<order).map { _ in generator.normal() }
      for i in 0..<order {
        for j in 0...i { sum[i * order + j] += x[i] * x[j] / Double(samples) }
      }
    }
    for i in 0..<order {
      for j in 0..<i { sum[j * order + i] = sum[i * order + j] }
    }
    return sum
  }
}
