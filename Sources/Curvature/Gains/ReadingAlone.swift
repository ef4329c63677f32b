internal import DenseLinearAlgebra

extension GainComputer {
  /// Reads what `gain(of:)` reads of a module, checks it for finite values and sums it up, and does nothing
  /// with it: for measurements that tell reading from computing.
  package func readAlone(_ module: ModuleStatistics) throws(CurvatureError) {
    switch builder.options.precision {
    case .single: try readAlone(module, as: Float.self)
    case .double: try readAlone(module, as: Double.self)
    }
    _ = try builder.statistics.checksum(of: module, under: builder.options)
  }

  private func readAlone<Element: Readable>(
    _ module: ModuleStatistics, as type: Element.Type
  ) throws(CurvatureError) {
    let options = builder.options
    for quantity in module.quantitiesRead(for: options.kind, rule: options.effectiveRule)
    where quantity != .sampleOffsets {
      let shape = module.shapes[quantity] ?? []
      _ = try builder.statistics.matrix(
        try builder.statistics.requiredKey(quantity, of: module),
        rows: shape.dropLast().reduce(1, *), columns: shape.last ?? 0, as: type)
    }
  }
}
