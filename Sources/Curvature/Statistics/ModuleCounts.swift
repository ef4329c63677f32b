internal import TensorFiles

/// The counts of one module: how many samples and tokens its means are over, and by what stored sums
/// are divided.
struct ModuleCounts {
  let samples: Double?
  let tokens: Double?
  let divisors: [StatisticsQuantity: Double]

  /// A count of the module itself goes before the file's, the more specific one first: an expert
  /// sees other tokens than its neighbour.
  init(
    name: String, keys: [StatisticsQuantity: String], tensors: StatisticsTensors, path: String,
    conventions: StatisticsConventions
  ) throws(CurvatureError) {
    func own(_ quantities: [StatisticsQuantity]) throws(CurvatureError) -> Double? {
      guard let key = quantities.lazy.compactMap({ keys[$0] }).first else { return nil }
      let values: [Int64]
      do { values = try tensors.readIntegers(key) } catch { throw .file(error) }
      guard values.count == 1, values[0] >= 0 else {
        throw .statistics(
          "\(path): \"\(key)\" must hold one count of 0 or more, but holds \(values.prefix(4))")
      }
      return Double(values[0])
    }
    tokens = try own([.tokenCount, .activationCovarianceCount]) ?? conventions.tokens
    samples =
      try own([.sampleCount, .lambdaCount]) ?? conventions.samples ?? Self.captured(keys, tensors)

    var divisors: [StatisticsQuantity: Double] = [:]
    for quantity in conventions.sums.intersection(keys.keys) {
      let common = quantity.isPerToken ? conventions.tokens : conventions.samples
      guard let count = try own(quantity.counts) ?? common else {
        let label = quantity.isPerToken ? "num_tokens" : "num_samples"
        throw .statistics(
          "\(path): normalization is \"sum\", but module \"\(name)\" has no .\(label) and the "
            + "metadata has no \(label); add the count or store means")
      }
      // An expert that saw nothing has sums of 0; any divisor keeps them 0.
      divisors[quantity] = max(count, 1)
    }
    self.divisors = divisors
  }

  /// The samples that raw captures or a ready Gram matrix hold.
  private static func captured(
    _ keys: [StatisticsQuantity: String], _ tensors: StatisticsTensors
  ) -> Double? {
    func rows(_ quantity: StatisticsQuantity) -> Int? {
      keys[quantity].flatMap { tensors[$0]?.shape.first }
    }
    if let offsets = rows(.sampleOffsets) { return Double(max(offsets - 1, 0)) }
    return (rows(.gram) ?? rows(.tokenInputs)).map(Double.init)
  }
}
