internal import Curvature
internal import PlanFiles

/// How gains were computed where that was not as asked or not as clean as hoped: counted per rank,
/// said once for all ranks.
struct ComputingRemarks {
  private let options: GainOptions
  /// Modules of this rank: all, computed in double instead of single, with negative eigenvalues.
  let counts: [Int128]

  init(_ units: [ScoresDocument.Unit], _ options: GainOptions) {
    self.options = options
    let modules = units.flatMap(\.modulesDetail)
    let fellBack = modules.filter { $0.errorEstimate != nil && $0.precision == "double" }
    let negative = modules.filter { ($0.clampedRatio ?? 0) > ClampedEigenvalues.alarm }
    counts = [Int128(modules.count), Int128(fellBack.count), Int128(negative.count)]
  }

  /// Sentences from the counts added up over all ranks.
  func notes(ofSums sums: [Int128]) -> [String] {
    var notes: [String] = []
    let mayBeSingle = [.kfac, .kronecker, .ekfac].contains(options.kind)
    if options.precision == .single, mayBeSingle, sums[1] > 0 {
      notes.append(
        "\(sums[1]) of \(sums[0]) modules were computed in double precision, where single could be "
          + "off by a share of more than \(GainOptions.largestSingleError)")
    }
    if sums[2] > 0 {
      notes.append(
        "\(sums[2]) of \(sums[0]) modules have factors with negative eigenvalues beyond rounding "
          + "(above \(ClampedEigenvalues.alarm) of the largest), which count as 0; 16-bit factors do "
          + "this, collect them in a wider type")
    }
    return notes
  }
}
