/// Makes the metrics of modules: reads their curvature, damps and decomposes it.
struct MetricBuilder {
  let statistics: Statistics
  let options: GainOptions

  /// Refuses single precision where the eigenvalues alone show that its error, 2 u κ, may exceed the
  /// limit; the caller then tries double.
  func requirePrecision<Element: Readable>(
    _ facts: CurvatureFacts, _ module: ModuleStatistics, as type: Element.Type
  ) throws(CurvatureError) {
    let precision = Precision.of(type)
    let error = 2 * precision.unitRoundoff * facts.largestEigenvalue / facts.smallestEigenvalue
    guard precision == .double || error <= GainOptions.largestSingleError else {
      throw .value("module \"\(module.name)\": single precision may be off by a share of \(error)")
    }
  }
}
