/// Inner products of the gradients of S disjoint folds in the metric of the curvature:
/// K_st = g_sᵀ H̃⁻¹ g_t.
///
/// A mean gradient over all samples carries their noise, and its gain carries the noise squared. Two
/// different folds share no sample, so their noise is independent and the products K_st with s ≠ t
/// have the gain of the expected gradient as their mean. Grams of modules add: the folds are the same
/// sequences everywhere.
public struct FoldGram: Sendable, Equatable {
  /// S, at least 2.
  public let folds: Int
  /// Row by row, symmetric.
  public let products: [Double]

  /// - Precondition: `products` holds folds² values and folds ≥ 2.
  public init(folds: Int, products: [Double]) {
    precondition(
      folds >= 2 && products.count == folds * folds, "a Gram matrix of two or more folds")
    self.folds = folds
    self.products = products
  }

  private subscript(s: Int, t: Int) -> Double { products[s * folds + t] }

  /// The sum with another module's, or nil if the numbers of folds differ.
  public func adding(_ other: FoldGram) -> FoldGram? {
    guard folds == other.folds else { return nil }
    return FoldGram(folds: folds, products: zip(products, other.products).map { $0 + $1 })
  }

  /// ζ²_× = the mean of K_st over s ≠ t: unbiased for the gain of the expected gradient, and
  /// negative where there is nothing but noise about half of the time.
  public var crossFittedGain: Double {
    var sum = 0.0
    for s in 0..<folds {
      for t in 0..<folds where t != s { sum += self[s, t] }
    }
    return sum / Double(folds * (folds - 1))
  }

  /// `crossFittedGain` of all folds but one, for every one; nil for fewer than 3 folds.
  public var gainsWithoutFold: [Double]? {
    guard folds >= 3 else { return nil }
    let total = (0..<folds).reduce(0.0) { $0 + rowSum($1) }
    return (0..<folds).map {
      (total - 2 * rowSum($0)) / Double((folds - 1) * (folds - 2))
    }
  }

  /// Σ K_st over t ≠ s.
  private func rowSum(_ s: Int) -> Double {
    (0..<folds).reduce(0.0) { $0 + ($1 == s ? 0 : self[s, $1]) }
  }

  /// The standard error of `crossFittedGain`; nil for fewer than 3 folds.
  ///
  /// The jackknife over folds, V = (S−1)/S Σ (θ₍ᵣ₎ − θ̄)² with θ₍ᵣ₎ the estimate without fold r. For a
  /// mean of products it is too large: the part of K_st that is not a sum of fold effects, with
  /// variance v, counts as 4v/(S(S−2)) instead of 2v/(S(S−1)), three times for S = 4. With 4 or more
  /// folds v is estimated from the residuals of K_st ≈ θ + a_s + a_t and the excess is taken off
  /// (Efron and Stein 1981 show the bias; the correction follows from their decomposition), never
  /// below three quarters of what remains if all of it were of that kind. Measured over 20,000 draws
  /// in 5, 20 and 200 dimensions, from noise alone to almost no noise, the average error is 0.89 to
  /// 1.17 times the true spread for S = 4 and 0.93 to 1.04 times for S = 8.
  public var standardError: Double? {
    guard let without = gainsWithoutFold else { return nil }
    let count = Double(folds)
    let gain = crossFittedGain
    let rowSums = (0..<folds).map(rowSum)
    let mean = without.reduce(0, +) / count
    let jackknife = (count - 1) / count * without.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    var variance = jackknife
    if folds >= 4 {
      let effects = rowSums.map { ($0 - (count - 1) * gain) / (count - 2) }
      var residual = 0.0
      for s in 0..<folds {
        for t in 0..<s {
          let rest = self[s, t] - gain - effects[s] - effects[t]
          residual += rest * rest
        }
      }
      let spread = residual / (count * (count - 3) / 2)
      let excess = spread * (4 / (count * (count - 2)) - 2 / (count * (count - 1)))
      variance = max(jackknife - excess, 0.75 * jackknife * (count - 2) / (2 * (count - 1)))
    }
    return variance.squareRoot()
  }
}

/// Which gain is used.
public enum GainRule: String, CaseIterable, Sendable {
  /// Cross-fitted where folds exist, plain elsewhere and under the empirical Fisher.
  case automatic = "auto"
  /// ζ² of the mean gradient over all samples, noise included.
  case plain
  /// ζ²_×; a module without folds is an error.
  case crossFitted = "cross-fitted"
}
