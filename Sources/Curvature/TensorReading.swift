internal import DenseLinearAlgebra
internal import TensorFiles

typealias Readable = LinearAlgebraElement & DecodedElement

extension Statistics {
  /// The mean gradient as [outputs, inputs], the bias appended where it takes part.
  func gradient<Element: Readable>(
    of module: ModuleStatistics, as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element> {
    let columns = module.inputs - (module.appendsBias ? 1 : 0)
    let key = try requiredKey(.gradient, of: module)
    var weights = try matrix(
      key, rows: transposed ? columns : module.outputs,
      columns: transposed ? module.outputs : columns, as: type)
    if transposed { weights = weights.transposed() }
    if module.appendsBias {
      let bias = try matrix(
        requiredKey(.biasGradient, of: module), rows: module.outputs, columns: 1, as: type)
      var joined = Matrix<Element>(rows: module.outputs, columns: module.inputs)
      for row in 0..<module.outputs {
        for column in 0..<columns { joined[row, column] = weights[row, column] }
        joined[row, columns] = bias[row, 0]
      }
      weights = joined
    }
    if module.sampleDivisor != 1 { weights.scale(by: Element(1 / module.sampleDivisor)) }
    return weights
  }

  /// The mean gradients of S folds, whitened one after the other, as rows [S, outputs · inputs]; nil
  /// where the module has none.
  ///
  /// `whiten` gets the gradient g_s of one fold as [outputs, inputs] and turns it into H̃^(−½) g_s.
  func foldGram<Element: Readable>(
    of module: ModuleStatistics, as type: Element.Type,
    whiten: (inout Matrix<Element>) throws(CurvatureError) -> Void
  ) throws(CurvatureError) -> FoldGram? {
    guard let folds = module.folds, let key = module.key(.gradientFolds) else { return nil }
    let stored = try matrix(
      key, rows: folds * (transposed ? module.inputs : module.outputs),
      columns: transposed ? module.outputs : module.inputs, as: type)
    var whitened = Matrix<Element>(rows: folds, columns: module.parameters)
    for fold in 0..<folds {
      var gradient = stored.rows(fold * stored.rows / folds..<(fold + 1) * stored.rows / folds)
      if transposed { gradient = gradient.transposed() }
      // A stored sum of one fold is over its share of the samples.
      if module.sampleDivisor != 1 {
        gradient.scale(by: Element(Double(folds) / module.sampleDivisor))
      }
      try whiten(&gradient)
      whitened.setRow(fold, to: gradient)
    }
    return FoldGram(folds: folds, products: whitened.gramOfRows())
  }

  /// A symmetric quantity [order, order], symmetrised, divided by `divisor`.
  ///
  /// Refuses a matrix that is not symmetric beyond the rounding of its stored type, and a second
  /// moment with a negative diagonal element. (A Hessian may have one; damping decides there.)
  func symmetricMatrix<Element: Readable>(
    _ quantity: StatisticsQuantity, of module: ModuleStatistics, order: Int, divisor: Double,
    as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element> {
    let key = try requiredKey(quantity, of: module)
    var matrix = try matrix(key, rows: order, columns: order, as: type)
    let asymmetry = matrix.symmetrize()
    let limit = (tensors[key]?.elementType.symmetryTolerance ?? 0) * asymmetry.largestMagnitude
    guard asymmetry.largestAsymmetry <= limit else {
      throw .value(
        "\(place(of: key)): not symmetric, element pairs differ by up to "
          + "\(asymmetry.largestAsymmetry), the limit for its type is \(limit); it must be a second "
          + "moment such as XᵀX, check how it was collected")
    }
    for index in 0..<order where quantity != .hessian && matrix[index, index] < 0 {
      throw .value(
        "\(place(of: key)): diagonal element [\(index), \(index)] is \(matrix[index, index]), but a "
          + "second moment is never negative; check how it was collected")
    }
    if divisor != 1 { matrix.scale(by: Element(1 / divisor)) }
    return matrix
  }

  /// A tensor of finite values as a matrix.
  func matrix<Element: Readable>(
    _ key: String, rows: Int, columns: Int, as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element> {
    do {
      return try Matrix<Element>(rows: rows, columns: columns) { span throws(TensorFileError) in
        try tensors.readFinite(key, into: &span)
      }
    } catch {
      throw .file(error)
    }
  }

  func requiredKey(
    _ quantity: StatisticsQuantity, of module: ModuleStatistics
  ) throws(CurvatureError) -> String {
    guard let key = module.key(quantity) else {
      throw .statistics(
        "module \"\(module.name)\" has no .\(quantity.rawValue) (it has "
          + "\(module.keys.keys.map(\.rawValue).sorted().joined(separator: ", "))); collect it, or "
          + "choose another --curvature")
    }
    return key
  }

  /// `file: "key"`, for messages.
  func place(of key: String) -> String { "\(tensors.fileName(holding: key)): \"\(key)\"" }

  /// Checksum of everything that `kind` reads of a module, independent of the order of reading.
  func checksum(
    of module: ModuleStatistics, kind: CurvatureKind, rule: GainRule
  ) throws(CurvatureError) -> UInt64 {
    var quantities = kind.requiredQuantities + [.gradient]
    if module.appendsBias { quantities.append(.biasGradient) }
    if module.folds != nil && rule != .plain { quantities.append(.gradientFolds) }
    var sum: UInt64 = 0
    for quantity in quantities {
      let key = try requiredKey(quantity, of: module)
      do {
        sum &+= (try tensors.checksum(of: key) ^ Self.nameHash(key)) &* 0x9E37_79B9_7F4A_7C15
      } catch {
        throw .file(error)
      }
    }
    return sum
  }

  /// FNV-1a of a key, so that two tensors that swap contents change the sum.
  private static func nameHash(_ key: String) -> UInt64 {
    key.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }
}

extension ElementType {
  /// How far a symmetric product may be from symmetric after rounding to the type, relative to its
  /// largest element: 2⁶ roundings for wide types, two for 16-bit ones.
  fileprivate var symmetryTolerance: Double {
    switch self {
    case .float64: 0x1p-46
    case .float32: 0x1p-17
    case .float16: 0x1p-9
    default: 0x1p-6
    }
  }
}

extension Statistics {
  /// Refuses, before anything is computed, modules that lack what `kind` needs.
  public func requireQuantities(
    of kind: CurvatureKind, in units: [ModuleUnit]
  ) throws(CurvatureError) {
    for unit in units {
      for module in unit.modules {
        for quantity in kind.requiredQuantities { _ = try requiredKey(quantity, of: module) }
      }
    }
  }

  /// Bytes of the tensors that `kind` reads of a module.
  public func bytesRead(
    of module: ModuleStatistics, kind: CurvatureKind, rule: GainRule
  ) -> Int {
    let folds: [StatisticsQuantity] =
      rule == .plain || module.folds == nil ? [] : [.gradientFolds]
    return (kind.requiredQuantities + [.gradient] + folds).reduce(0) { sum, quantity in
      sum + (module.key(quantity).flatMap { tensors[$0]?.byteCount } ?? 0)
    }
  }
}
