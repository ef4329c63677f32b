/// An order-preserving numbering of the finite Float64 values.
///
/// Neighbouring doubles have neighbouring keys, so a bisection over keys ends at one well-defined
/// double after at most 64 halvings, however small or large that double is. Both zeros have key 0.
enum OrderedKey {
  static let largestFinite = key(of: .greatestFiniteMagnitude)

  /// - Precondition: `value` is not NaN.
  static func key(of value: Double) -> Int64 {
    precondition(!value.isNaN, "NaN has no place in the order")
    let bits = Int64(bitPattern: value.bitPattern)
    return bits >= 0 ? bits : -(bits & .max)
  }

  static func value(of key: Int64) -> Double {
    key >= 0
      ? Double(bitPattern: UInt64(key))
      : -Double(bitPattern: UInt64(-key))
  }

  /// How many keys apart, as differences of keys may overflow.
  static func distance(_ key: Int64, _ other: Int64) -> Double {
    Double(UInt64(bitPattern: max(key, other) &- min(key, other)))
  }

  /// The 64 binades up to `value` and one more; those around 1 where it says nothing.
  static func binades(below value: Double) -> ClosedRange<Int64> {
    let top = value > 0 && value.isFinite ? min(2 * value, .greatestFiniteMagnitude) : 0x1p32
    return key(of: top * 0x1p-65)...key(of: top)
  }

  /// The 64 binades from `value` up and one more; those around 1 where it says nothing.
  static func binades(above value: Double) -> ClosedRange<Int64> {
    let bottom = value > 0 && value < 0x1p900 ? value / 2 : 0x1p-32
    return key(of: bottom)...key(of: bottom * 0x1p65)
  }
}
