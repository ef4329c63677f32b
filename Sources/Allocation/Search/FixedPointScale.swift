/// The agreed unit of a 128-bit fixed-point sum.
///
/// A term t is stored as the integer nearest t / 2^`exponent` (ties to even). Integers add without
/// rounding, so a sum of such terms does not depend on their order, hence not on how the units are
/// divided over ranks. Rounding to the nearest integer is monotone: t ≤ t′ implies fixed(t) ≤ fixed(t′).
///
/// Every rank must build the same scale: from constants, or from a value agreed by an allreduce.
public struct FixedPointScale: Sendable, Equatable {
  /// Power of two that one integer step stands for.
  public let exponent: Int

  /// A scale on which `terms` values of magnitude at most `largest` add up without overflow.
  ///
  /// Resolution: `largest` · terms · 2⁻¹²⁵ or finer, about 2⁷² times finer than Float64 for one term.
  /// - Precondition: `largest` is finite.
  public init(largest: Double, terms: Int) {
    precondition(largest.isFinite, "a scale needs a finite bound")
    let magnitudeBits = largest == 0 ? 0 : Int(largest.exponent) + 1
    let countBits = Int.bitWidth - max(terms, 1).leadingZeroBitCount
    exponent = magnitudeBits + countBits - 126
  }

  /// The integer nearest `value` / 2^`exponent`, ties to even.
  /// - Precondition: |`value`| is at most the `largest` the scale was made for.
  public func fixed(_ value: Double) -> Int128 {
    guard value != 0 else { return 0 }
    precondition(value.isFinite, "a fixed-point term must be finite")
    let subnormal = value.exponentBitPattern == 0
    let significand =
      value.significandBitPattern | (subnormal ? 0 : 1 << UInt64(Double.significandBitCount))
    let significandExponent =
      (subnormal ? 1 : Int(value.exponentBitPattern)) - 1023 - Double.significandBitCount
    let magnitude = Int128(Self.shifted(UInt128(significand), by: significandExponent - exponent))
    return value.sign == .minus ? -magnitude : magnitude
  }

  /// The Float64 nearest `sum` · 2^`exponent`, ties to even.
  public func value(_ sum: Int128) -> Double {
    let magnitude = sum.magnitude
    let excess = (UInt128.bitWidth - magnitude.leadingZeroBitCount) - 53
    guard excess > 0 else { return Self.scaled(Double(Int64(sum)), by: exponent) }
    let rounded = Self.shifted(magnitude, by: -excess)
    let scaled = Self.scaled(Double(UInt64(rounded)), by: excess + exponent)
    return sum < 0 ? -scaled : scaled
  }

  /// magnitude · 2^shift, rounded to nearest, ties to even.
  private static func shifted(_ magnitude: UInt128, by shift: Int) -> UInt128 {
    if shift >= 0 { return magnitude << UInt128(shift) }
    let cut = -shift
    guard cut < 128 else { return 0 }
    let kept = magnitude >> UInt128(cut)
    let remainder = magnitude - (kept << UInt128(cut))
    let half = UInt128(1) << UInt128(cut - 1)
    return remainder > half || (remainder == half && kept & 1 == 1) ? kept + 1 : kept
  }

  /// value · 2^power, in two steps so that neither factor leaves the range of Float64.
  private static func scaled(_ value: Double, by power: Int) -> Double {
    let first = max(-1000, min(1000, power))
    let rest = max(-1000, min(1000, power - first))
    return value * Double(sign: .plus, exponent: first, significand: 1)
      * Double(sign: .plus, exponent: rest, significand: 1)
  }
}
