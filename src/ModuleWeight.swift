public import TensorFiles

/// What a caller knows of a module before its weights are found.
public struct ModuleShape: Sendable, Equatable {
  public let name: String
  /// Outputs and inputs as the statistics count them, where known. A bias may count as an input.
  public let outputs: Int?
  public let inputs: Int?

  public init(name: String, outputs: Int? = nil, inputs: Int? = nil) {
    self.name = name
    self.outputs = outputs
    self.inputs = inputs
  }
}

/// The matrix W [outputs, inputs] of one module and where it is stored. A bias is no part of it.
public struct ModuleWeight: Sendable, Equatable {
  /// Consecutive elements of one tensor that hold whole rows of the stored matrix.
  public struct Block: Sendable, Equatable {
    public let tensor: String
    /// The first element, by its row-major position in the tensor.
    public let firstElement: Int
    public let elements: Int

    package init(tensor: String, firstElement: Int, elements: Int) {
      self.tensor = tensor
      self.firstElement = firstElement
      self.elements = elements
    }
  }

  /// The module's name, as asked for.
  public let name: String
  public let outputs: Int
  public let inputs: Int
  public let elementType: ElementType
  /// Whether the matrix is stored [inputs, outputs], as GPT-2's Conv1D does.
  public let isTransposed: Bool
  /// Blocks one under the other; only a matrix stored [outputs, inputs] has more than one.
  public let blocks: [Block]

  package init(
    name: String, outputs: Int, inputs: Int, elementType: ElementType, isTransposed: Bool,
    blocks: [Block]
  ) {
    self.name = name
    self.outputs = outputs
    self.inputs = inputs
    self.elementType = elementType
    self.isTransposed = isTransposed
    self.blocks = blocks
  }

  /// Weights: outputs · inputs.
  public var count: Int { outputs * inputs }
  public var byteCount: Int { count * elementType.bitWidth / 8 }

  /// Position of W[row, column] among the stored elements.
  @inlinable public func position(row: Int, column: Int) -> Int {
    isTransposed ? column * outputs + row : row * inputs + column
  }
}
