internal import PlanFiles

/// Values to positions between 0 and 1 along an axis, with ticks at round numbers.
struct AxisScale: Sendable, Equatable {
  struct Tick: Sendable, Equatable {
    let value: Double
    let label: String
  }

  let low: Double
  let high: Double
  let isLogarithmic: Bool
  let ticks: [Tick]

  /// From 0, or from the least value where that is negative, to a round number above the largest.
  init(linearTo largest: Double, from least: Double = 0, percent: Bool = false) {
    // Beyond ±1e300 the differences below would not be finite.
    let bottom = least.isNaN ? 0 : max(least, -1e300)
    let top = largest > bottom ? min(largest, 1e300) : bottom + max(abs(bottom), 1)
    let step = Self.roundStep((top - bottom) / 5)
    let first = (bottom / step).rounded(.down)
    let last = max((top / step).rounded(.up), first + 1)
    low = first * step
    high = last * step
    isLogarithmic = false
    ticks = (0...Int(last - first)).map { index in
      let value = (first + Double(index)) * step
      return Tick(
        value: value,
        label: percent ? Self.label(value * 100, step * 100) + " %" : Self.label(value, step))
    }
  }

  /// Whole powers of ten around positive values. Nil where none is positive.
  init?(logarithmicFor values: [Double]) {
    let positive = values.filter { $0 > 0 && $0.isFinite }
    guard let least = positive.min(), let largest = positive.max() else { return nil }
    let first = Self.exponent(notAbove: least)
    var last = Self.exponent(notAbove: largest)
    if Self.powerOfTen(last) < largest || last == first { last += 1 }
    low = Self.powerOfTen(first)
    high = Self.powerOfTen(last)
    isLogarithmic = true
    let stride = max(1, (last - first + 5) / 6)
    ticks = Swift.stride(from: first, through: last, by: stride).map {
      Tick(value: Self.powerOfTen($0), label: Self.label(powerOfTen: $0))
    }
  }

  /// Values outside the axis lie at its ends.
  func position(of value: Double) -> Double {
    guard isLogarithmic else { return min(max((value - low) / (high - low), 0), 1) }
    guard value > low else { return 0 }
    let bottom = Self.logarithm(low)
    return min((Self.logarithm(value) - bottom) / (Self.logarithm(high) - bottom), 1)
  }

  /// log₂ without a mathematics library: the exponent, and the significand by repeated squaring.
  private static func logarithm(_ value: Double) -> Double {
    var result = Double(value.exponent)
    var significand = value.significand
    var bit = 0.5
    for _ in 0..<30 {
      significand *= significand
      if significand >= 2 {
        significand /= 2
        result += bit
      }
      bit /= 2
    }
    return result
  }

  private static func powerOfTen(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? 1 }

  private static func exponent(notAbove value: Double) -> Int {
    var exponent = Int((logarithm(value) / 3.321928094887362).rounded(.down))
    while powerOfTen(exponent) > value { exponent -= 1 }
    while exponent < 308, powerOfTen(exponent + 1) <= value { exponent += 1 }
    return max(exponent, -307)
  }

  /// 1, 2 or 5 times a power of ten, not below `step`.
  private static func roundStep(_ step: Double) -> Double {
    guard step > 0, step.isFinite else { return 1 }
    let power = powerOfTen(exponent(notAbove: step))
    return power * ([1, 2, 5].first { $0 * power >= step * (1 - 1e-9) } ?? 10)
  }

  private static func label(_ value: Double, _ step: Double) -> String {
    let size = max(abs(value), step)
    if step >= 1, size < 1e15 { return NumberText.grouped(Int(value.rounded())) }
    if size >= 100_000 || step < 0.0001 {
      return value == 0 ? "0" : NumberText.short(value)
    }
    var decimals = 0
    var scaled = step
    while decimals < 4, abs(scaled - scaled.rounded()) > 1e-6 {
      (scaled, decimals) = (scaled * 10, decimals + 1)
    }
    return NumberText.fixed(value, decimals: decimals)
  }

  private static func label(powerOfTen exponent: Int) -> String {
    switch exponent {
    case -3 ... -1: return NumberText.fixed(powerOfTen(exponent), decimals: -exponent)
    case 0...4: return NumberText.grouped(Int(powerOfTen(exponent)))
    default: return power(of: 10, exponent)
    }
  }

  /// `10⁻⁵`.
  static func power(of base: Int, _ exponent: Int) -> String {
    let digits = "⁰¹²³⁴⁵⁶⁷⁸⁹".map { $0 }
    let raised = String(exponent.magnitude).compactMap { $0.wholeNumberValue }.map { digits[$0] }
    return "\(base)" + (exponent < 0 ? "⁻" : "") + String(raised)
  }
}
