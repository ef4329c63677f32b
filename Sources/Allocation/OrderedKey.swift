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
}
