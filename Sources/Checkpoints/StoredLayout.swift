internal import TensorFiles

/// A module's matrix as it is stored, before it is known which side is the outputs.
struct StoredMatrix {
  let module: ModuleShape
  let rows: Int
  let columns: Int
  let type: ElementType
  let blocks: [ModuleWeight.Block]
  /// A slice of a fused tensor.
  let isExpert: Bool

  func weight(isTransposed: Bool) -> ModuleWeight {
    ModuleWeight(
      name: module.name, outputs: isTransposed ? columns : rows,
      inputs: isTransposed ? rows : columns, elementType: type, isTransposed: isTransposed,
      blocks: blocks)
  }
}

/// Which side of a stored matrix is the outputs.
enum StoredLayout {
  case outputsByInputs
  case inputsByOutputs

  /// The layout of each matrix; nil where neither fits the module's shape.
  ///
  /// A shape decides where it can. A square matrix, or one of a module of unknown shape, is stored as
  /// the decided ones of its kind are: fused experts among themselves, the others of numbered blocks
  /// among themselves, as GPT-2 stores its blocks [inputs, outputs] and its output head the other way.
  /// With nothing decided the model's family decides.
  static func layouts(
    of matrices: [StoredMatrix], in configuration: Checkpoint.Configuration
  ) -> [StoredLayout?] {
    let possible = matrices.map(possible)
    func majority(_ isExpert: Bool) -> StoredLayout? {
      let decided = zip(matrices, possible).filter { matrix, layouts in
        layouts.count == 1 && matrix.isExpert == isExpert && isInBlock(matrix.module.name)
      }
      let transposed = decided.count { $0.1 == [.inputsByOutputs] }
      guard !decided.isEmpty else { return nil }
      return 2 * transposed > decided.count ? .inputsByOutputs : .outputsByInputs
    }
    let experts = majority(true)
    let others = majority(false)
    return zip(matrices, possible).map { matrix, layouts in
      guard layouts.count > 1 else { return layouts.first }
      guard isInBlock(matrix.module.name) else { return .outputsByInputs }
      let isTransposed =
        matrix.isExpert ? configuration.transposesExperts : configuration.usesConv1D
      return (matrix.isExpert ? experts : others)
        ?? (isTransposed ? .inputsByOutputs : .outputsByInputs)
    }
  }

  /// The layouts that the module's shape allows; the statistics may count a bias as one input more.
  private static func possible(_ matrix: StoredMatrix) -> [StoredLayout] {
    guard let outputs = matrix.module.outputs, let inputs = matrix.module.inputs else {
      return [.outputsByInputs, .inputsByOutputs]
    }
    func fits(_ storedOutputs: Int, _ storedInputs: Int) -> Bool {
      storedOutputs == outputs && (storedInputs == inputs || storedInputs + 1 == inputs)
    }
    return (fits(matrix.rows, matrix.columns) ? [.outputsByInputs] : [])
      + (fits(matrix.columns, matrix.rows) ? [.inputsByOutputs] : [])
  }

  /// Whether the module belongs to a numbered block.
  private static func isInBlock(_ name: String) -> Bool {
    name.split(separator: ".").contains { Int($0) != nil }
  }
}
