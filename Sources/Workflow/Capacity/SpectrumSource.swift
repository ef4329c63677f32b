internal import Curvature

extension GainSource {
  /// The statistics, asked for the spectra of their modules too. Only ranks are worth anything by
  /// them; a scores file has none, and most kinds of curvature neither: all are wrong usage.
  public func askedForSpectra(of capacity: CapacityKind) throws(Failure) -> StatisticsRequest {
    guard capacity == .rank else {
      throw Failure(
        .usage,
        "--utility spectrum says what ranks are worth, not \(capacity.rawValue); add --unit rank, with a "
          + "budget such as \"40M parameters\", or use --utility log")
    }
    guard case .statistics(var request) = self else {
      throw Failure(
        .usage,
        "--utility spectrum needs the singular values of gradients, which a scores file does not hold; "
          + "give --statistics PATH instead of --scores, or use --utility log")
    }
    let kind = request.options.kind
    guard kind.hasSpectrum else {
      let fitting = CurvatureKind.allCases.filter(\.hasSpectrum).map(\.rawValue).sorted(by: >)
      throw Failure(
        .usage,
        "--utility spectrum has no meaning for --curvature \(kind.rawValue), which is not one matrix on "
          + "either side of a gradient; use \(fitting.joined(separator: " or ")), or --utility log")
    }
    request.options.wantsSpectrum = true
    return request
  }
}
