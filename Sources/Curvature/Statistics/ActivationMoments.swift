public import DenseLinearAlgebra
public import TensorFiles

/// Second moments of a module's inputs, for methods that weigh weights by what reaches them.
extension Statistics {
  /// A [inputs, inputs], the mean of x xᵀ over tokens, with a last row and column for a bias that takes
  /// part. Symmetrised, checked as ``GainComputer`` does.
  ///
  /// - Throws: `statistics` when there is no dense A, `value` or `file` when it is not what it must be.
  public func activationCovariance<Element: LinearAlgebraElement & DecodedElement>(
    of module: ModuleStatistics, as type: Element.Type
  ) throws(CurvatureError) -> Matrix<Element> {
    guard !module.isDiagonal(.activationCovariance) else {
      throw .statistics(
        "module \"\(module.name)\" has only the diagonal of its .activation_covariance, but sparsegpt "
          + "needs all of it; use wanda, or collect it whole")
    }
    return try symmetricMatrix(.activationCovariance, of: module, order: module.inputs, as: type)
  }

  /// The diagonal of A: mean squares of the inputs, without reading the rest of it.
  public func activationSquares(of module: ModuleStatistics) throws(CurvatureError) -> [Double] {
    try diagonalFactor(.activation, of: module, order: module.inputs)
  }

  /// Where A is stored: equal for modules that share it.
  public func activationKey(of module: ModuleStatistics) throws(CurvatureError) -> String {
    try requiredKey(.activationCovariance, of: module)
  }

  /// Checksum of A's bytes as stored.
  public func activationChecksum(of module: ModuleStatistics) throws(CurvatureError) -> UInt64 {
    let key = try activationKey(of: module)
    do { return try tensors.checksum(of: key) } catch { throw .file(error) }
  }
}
