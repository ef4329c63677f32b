public import Collectives

/// A gain with what is needed to turn it into a quality.
public struct GainedUnit: Sendable, Equatable {
  /// ζ², non-negative.
  public let gain: Double
  /// Weights in the unit; positive.
  public let parameters: Double

  public init(gain: Double, parameters: Double) {
    self.gain = gain
    self.parameters = parameters
  }
}

/// How gains ζ² become the dimensionless qualities q of both programs (docs/theory/programs.md).
public struct QualityRule: Sendable, Equatable {
  public enum Normalization: String, CaseIterable, Sendable {
    /// q = ζ² / mean ζ².
    case mean
    /// q = ζ² / Σ ζ².
    case sum
    /// q = ζ² / max ζ².
    case max
    /// The affine map of [min ζ², max ζ²] onto [0.5, 1.5]; 1 where all gains are equal.
    case bounded
    /// q = log(1 + ζ²), divided by its mean.
    case log
    /// q = ζ².
    case none
  }

  public var normalization: Normalization
  /// Divide each gain by the unit's parameter count first.
  public var perParameter: Bool
  /// This share of the median positive gain is added to every gain before normalising.
  public var floor: Double

  public init(normalization: Normalization = .mean, perParameter: Bool = false, floor: Double = 0) {
    self.normalization = normalization
    self.perParameter = perParameter
    self.floor = floor
  }

  /// Qualities of this rank's units, in their order.
  ///
  /// Sums over units are exact, so the result does not depend on the number of ranks.
  /// Collective: every rank calls. - Complexity: two to four allreduces, more with a floor.
  public func qualities(
    of units: [GainedUnit], totalUnits: Int, search: inout PriceSearch,
    over world: borrowing some Collective & ~Copyable
  ) throws(AllocationError) -> [Double] {
    guard floor >= 0, floor.isFinite else {
      throw .invalid(
        what: "the quality floor", value: "\(floor)", limit: "zero or positive",
        advice: "0.05 is the authors' choice")
    }
    var values = units.map { perParameter ? $0.gain / $0.parameters : $0.gain }
    let largest = search.maximum([values.max() ?? 0], over: world)[0]
    guard largest > 0 || normalization == .none else { throw .nothingToGain(units: totalUnits) }

    if floor > 0, let median = search.median(of: values.filter { $0 > 0 }, over: world) {
      values = values.map { $0 + floor * median }
    }
    switch normalization {
    case .none:
      return values
    case .mean:
      let sum = search.exactSums([values], totalTerms: totalUnits, over: world)[0]
      return values.map { $0 / (sum / Double(totalUnits)) }
    case .sum:
      let sum = search.exactSums([values], totalTerms: totalUnits, over: world)[0]
      return values.map { $0 / sum }
    case .max:
      let top = search.maximum([values.max() ?? 0], over: world)[0]
      return values.map { $0 / top }
    case .bounded:
      let ends = search.maximum(
        [values.max() ?? 0, -(values.min() ?? .greatestFiniteMagnitude)], over: world)
      let (low, high) = (-ends[1], ends[0])
      return values.map { high > low ? 0.5 + ($0 - low) / (high - low) : 1 }
    case .log:
      let logs = values.map(logOnePlus)
      let sum = search.exactSums([logs], totalTerms: totalUnits, over: world)[0]
      return logs.map { $0 / (sum / Double(totalUnits)) }
    }
  }
}
