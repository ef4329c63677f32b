internal import Curvature
internal import TensorFiles

extension Checkpoint {
  /// Where the weights of each module lie, in the order asked for.
  ///
  /// - Throws: `mismatch` naming the module and the nearest name when a module matches no tensor; when
  ///   two modules claim the same weights; when a shape does not fit what the statistics say; when a
  ///   tensor is of a quantized type.
  /// - Complexity: O(modules · log tensors).
  public func weights(of modules: [ModuleShape]) throws(CheckpointError) -> [ModuleWeight] {
    // 1. The tensors of each module.
    var found: [StoredMatrix] = []
    for module in modules { found.append(try storedMatrix(of: module)) }
    try requireOneOwner(of: found)

    // 2. Which side of a stored matrix is the outputs: by shape, or as the neighbours have it.
    let layouts = StoredLayout.layouts(of: found, in: configuration)
    var weights: [ModuleWeight] = []
    for (matrix, layout) in zip(found, layouts) {
      guard let layout else {
        throw .mismatch(
          "\(path): \"\(matrix.blocks[0].tensor)\" has shape [\(matrix.rows), \(matrix.columns)], but "
            + "module \"\(matrix.module.name)\" has \(matrix.module.outputs ?? 0) outputs and "
            + "\(matrix.module.inputs ?? 0) inputs in the statistics; they are of different models")
      }
      weights.append(matrix.weight(isTransposed: layout == .inputsByOutputs))
    }
    return weights
  }

  private func storedMatrix(of module: ModuleShape) throws(CheckpointError) -> StoredMatrix {
    if let matrix = try storedMatrix(of: module, named: module.name) { return matrix }
    var matches: [StoredMatrix] = []
    for name in WeightNames.aliases(of: module.name, leading: WeightNames.wrappers) {
      if let matrix = try storedMatrix(of: module, named: name) { matches.append(matrix) }
    }
    if matches.count > 1 {
      throw .mismatch(
        "\(path): module \"\(module.name)\" may be \"\(matches[0].blocks[0].tensor)\" or "
          + "\"\(matches[1].blocks[0].tensor)\"; name it as the checkpoint does")
    }
    if let match = matches.first { return match }
    if configuration.ties, WeightNames.isOutputHead(module.name),
      let embedding = tensors.names.first(where: { name in
        WeightNames.embeddings.contains { name == $0 || name.hasSuffix(".\($0)") }
      }), let matrix = try storedMatrix(.tensor(embedding), module)
    {
      return matrix
    }
    let modules = Set(
      tensors.names.map { $0.hasSuffix(".weight") ? String($0.dropLast(7)) : $0 })
    let nearest = NearestName.of(module.name, in: modules)
    throw .mismatch(
      "\(path): no tensor holds the weights of module \"\(module.name)\"; "
        + (nearest.map { "the nearest name is \"\($0)\"; " } ?? "")
        + "the plan or the statistics are of another model, or name modules in another way")
  }

  /// The first form under one name, or nil where there is none.
  private func storedMatrix(
    of module: ModuleShape, named name: String
  ) throws(CheckpointError) -> StoredMatrix? {
    for form in WeightNames.forms(of: name) {
      if let matrix = try storedMatrix(form, module) { return matrix }
    }
    return nil
  }

  /// The matrix of one form, or nil where the checkpoint has it not.
  private func storedMatrix(
    _ form: WeightNames.Form, _ module: ModuleShape
  ) throws(CheckpointError) -> StoredMatrix? {
    switch form {
    case .tensor(let name):
      guard let entry = try floatingPoint(name), entry.shape.count == 2 else { return nil }
      return StoredMatrix(
        module: module, rows: entry.shape[0], columns: entry.shape[1], type: entry.elementType,
        blocks: [.init(tensor: name, firstElement: 0, elements: entry.elementCount)],
        isExpert: false)
    case .slice(let name, let expert):
      guard let entry = try floatingPoint(name), entry.shape.count == 3, expert < entry.shape[0]
      else { return nil }
      let size = entry.shape[1] * entry.shape[2]
      return StoredMatrix(
        module: module, rows: entry.shape[1], columns: entry.shape[2], type: entry.elementType,
        blocks: [.init(tensor: name, firstElement: expert * size, elements: size)], isExpert: true)
    case .stack(let upper, let lower):
      guard let first = try floatingPoint(upper), let second = try floatingPoint(lower),
        first.shape.count == 2, second.shape.count == 2, first.shape[1] == second.shape[1],
        first.elementType == second.elementType
      else { return nil }
      return StoredMatrix(
        module: module, rows: first.shape[0] + second.shape[0], columns: first.shape[1],
        type: first.elementType,
        blocks: [
          .init(tensor: upper, firstElement: 0, elements: first.elementCount),
          .init(tensor: lower, firstElement: 0, elements: second.elementCount),
        ], isExpert: false)
    }
  }

  private func floatingPoint(_ name: String) throws(CheckpointError) -> TensorEntry? {
    guard let entry = tensors[name] else { return nil }
    guard entry.elementType.isFloatingPoint else {
      throw .mismatch(
        "\(path): \"\(name)\" has dtype \(entry.elementType.rawValue), but only F64, F32, F16 and BF16 "
          + "can be pruned; use the checkpoint before quantization")
    }
    return entry
  }

  /// Refuses two modules with the same weights: each would undo the other's pruning.
  private func requireOneOwner(of matrices: [StoredMatrix]) throws(CheckpointError) {
    struct Place: Hashable {
      let tensor: NaturalName
      let first: Int
    }
    var owners: [Place: String] = [:]
    for matrix in matrices {
      for block in matrix.blocks {
        let place = Place(tensor: NaturalName(block.tensor), first: block.firstElement)
        guard let owner = owners.updateValue(matrix.module.name, forKey: place) else { continue }
        throw .mismatch(
          "\(path): modules \"\(owner)\" and \"\(matrix.module.name)\" share the tensor "
            + "\"\(block.tensor)\" (tied weights), which can be pruned only once; leave one of them out "
            + "with --exclude when scoring")
      }
    }
  }
}

extension Checkpoint {
  /// The modules of a plan's unit that only has a name: the module of that name, or all in the block.
  ///
  /// - Throws: `mismatch` with the nearest name when nothing is named so.
  public func modules(named unit: String) throws(CheckpointError) -> [String] {
    let single = try? weights(of: [ModuleShape(name: unit)])
    let names = single == nil ? modules(under: unit) : [unit]
    guard names.isEmpty else { return names }
    // Names of modules and of everything that modules are in.
    var known: Set<String> = []
    for tensor in tensors.names {
      let parts = tensor.split(separator: ".")
      for length in parts.indices.dropFirst() {
        known.insert(parts[..<length].joined(separator: "."))
      }
    }
    let nearest = NearestName.of(unit, in: known)
    throw .mismatch(
      "\(path): nothing is named as the plan's unit \"\(unit)\"; "
        + (nearest.map { "the nearest name is \"\($0)\"; " } ?? "")
        + "the plan is of another model, or names layers in another way")
  }

  /// Names of the modules and parameters that hold matrices, as the checkpoint names them.
  public var matrixNames: [String] {
    tensors.names.compactMap { tensor in
      guard let entry = tensors[tensor], entry.shape.count >= 2 else { return nil }
      return tensor.hasSuffix(".weight") ? String(tensor.dropLast(7)) : tensor
    }
  }

  /// Names of the modules that hold matrices under `prefix`, in natural order: for a plan that names a
  /// block and not what is in it.
  public func modules(under prefix: String) -> [String] {
    var names: [String] = []
    for tensor in tensors.names where tensor.hasPrefix("\(prefix).") {
      guard let entry = tensors[tensor] else { continue }
      if entry.shape.count == 2, tensor.hasSuffix(".weight") {
        names.append(String(tensor.dropLast(7)))
      }
      // P.experts.gate_up_proj holds P.experts.0.gate_up_proj and so on.
      if entry.shape.count == 3, !tensor.hasSuffix(".weight"), let dot = tensor.lastIndex(of: ".") {
        names += (0..<entry.shape[0]).map { "\(tensor[..<dot]).\($0)\(tensor[dot...])" }
      }
    }
    return names.sorted { NaturalName($0) < NaturalName($1) }
  }
}
