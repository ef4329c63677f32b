/// The cost curve of one unit as far as it was measured: its bins, and the keys of the one bin that
/// holds the threshold.
public struct MeasuredCurve: Sendable, Equatable {
  /// Of all weights; the first pass.
  public let bins: CostHistogram
  /// Of the weights in `bin`; the second pass.
  let keys: CostHistogram
  /// The bin that was looked at more closely; nil where none was needed.
  let bin: Int?
  /// Weights in bins before it.
  private let before: Int

  public init(bins: CostHistogram) {
    self.bins = bins
    keys = CostHistogram(places: [])
    bin = nil
    before = 0
  }

  public init(bins: CostHistogram, keys: CostHistogram, at crossing: MeasuredCrossing) {
    self.bins = bins
    self.keys = keys
    bin = crossing.bin
    before = crossing.bin.map(bins.count(before:)) ?? 0
  }

  /// #{weights with a key below `key`}, for a key of the bin.
  func count(below key: Int) -> Int { before + keys.count(before: key) }

  /// Σ s of the z smallest costs, as exact as `CostHistogram.cost(ofSmallest:)` on the finer
  /// histogram where z lies in the measured bin.
  public func cost(ofSmallest z: Int) -> Double {
    guard bin != nil, z > before, z <= before + keys.count else {
      return bins.cost(ofSmallest: z)
    }
    return bins.cost(ofSmallest: before) + keys.cost(ofSmallest: z - before)
  }
}

/// Where the first pass found the threshold.
public struct MeasuredCrossing: Sendable, Equatable {
  /// The bin to look at more closely. Nil where the lower bounds alone meet the sparsity, so that no
  /// threshold is needed.
  public let bin: Int?
  let target: PruningTarget
}
