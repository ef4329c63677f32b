/// The order of costs s ≥ 0 as 31-bit keys: the exponent and the 20 leading fraction bits of Float64.
///
/// Keys keep the order of costs. Costs of one key differ by less than 2⁻²⁰ of their size, and none
/// underflows. The upper 16 bits are a *bin*, 32 to a power of two; the lower 15 divide it.
enum CostKey {
  static let bins = 1 << 16
  static let keysOfBin = 1 << 15

  /// - Precondition: `cost` is not negative and not NaN.
  static func key(of cost: Double) -> Int { Int(cost.bitPattern >> 32 & 0x7FFF_FFFF) }

  /// The lowest cost of a key.
  static func cost(of key: Int) -> Double { Double(bitPattern: UInt64(key) << 32) }
}
