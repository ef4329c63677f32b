/// What weights are ordered by: |W_ij| · scale_j, in Float64.
///
/// 1 for magnitude, √A_jj for wanda, 1/U_jj for sparsegpt (whose (W/U_jj)² has the same order).
public struct WeightMeasure: Sendable {
  /// One per input; nil for 1 everywhere.
  let scales: [Double]?

  public static let magnitude = WeightMeasure(scales: nil)

  /// From the mean squares of the inputs. Where no input was ever other than 0, nothing tells weights
  /// apart and |W| decides.
  public static func wanda(squares: [Double]) -> WeightMeasure {
    squares.contains { $0 > 0 }
      ? WeightMeasure(scales: squares.map { $0.squareRoot() }) : .magnitude
  }

  /// A key that orders weights, for non-negative integers compare faster than numbers: 0 for a weight
  /// that is 0 already, so that those go first.
  @inline(__always)
  func key(_ weight: Double, column: Int) -> UInt64 {
    guard weight != 0 else { return 0 }
    guard let scales else { return weight.magnitude.bitPattern + 1 }
    return (weight.magnitude * scales[column]).bitPattern + 1
  }
}
