internal import DenseLinearAlgebra

extension MetricBuilder {
  /// The singular values of a whitened gradient, descending, in the precision of the metric.
  ///
  /// Values below max(m, n) u σ₁, within which rounding alone can move them, are 0: a gradient of low
  /// rank shall not ask for more.
  /// - Complexity: see `CurvatureKind.spectrumOperations`. Nothing is held beside the gradient.
  func spectrum<Element: Readable>(
    of whitened: consuming Matrix<Element>, _ module: ModuleStatistics
  ) throws(CurvatureError) -> [Double] {
    let size = Double(max(whitened.rows, whitened.columns))
    let values: [Element]
    do {
      values = try whitened.singularValues()
    } catch {
      throw .value(
        "module \"\(module.name)\": \(error); look for outliers in its gradient, or use another "
          + "--damping")
    }
    let smallest = size * Precision.of(Element.self).unitRoundoff * Double(values.first ?? 0)
    return values.map { Double($0) > smallest ? Double($0) : 0 }
  }
}
