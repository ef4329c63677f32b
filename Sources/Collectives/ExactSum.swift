/// A sum of 128-bit integers in 192 bits, two's complement.
///
/// It cannot overflow with fewer than 2⁶⁴ terms, so the order of the terms never matters, and whether
/// the total fits 128 bits is asked once, at the end.
package struct ExactSum: Equatable, Sendable {
  /// 64-bit words in the exchange form, least significant first.
  package static let limbCount = 3

  private var low: UInt128
  private var high: Int64

  package init(_ value: Int128) {
    low = UInt128(truncatingIfNeeded: value)
    high = value < 0 ? -1 : 0
  }

  /// Reads the three words of `limbs` that start at `offset`.
  package init(limbs: [UInt64], at offset: Int) {
    low = UInt128(limbs[offset]) | UInt128(limbs[offset + 1]) << 64
    high = Int64(bitPattern: limbs[offset + 2])
  }

  package static func += (sum: inout ExactSum, value: Int128) {
    let term = ExactSum(value)
    let (low, carries) = sum.low.addingReportingOverflow(term.low)
    sum.low = low
    sum.high += term.high + (carries ? 1 : 0)
  }

  /// Appends the three words, least significant first.
  package func append(to limbs: inout [UInt64]) {
    limbs.append(UInt64(truncatingIfNeeded: low))
    limbs.append(UInt64(truncatingIfNeeded: low >> 64))
    limbs.append(UInt64(bitPattern: high))
  }

  /// The sum, or nil if it does not fit 128 bits.
  package var total: Int128? {
    let value = Int128(truncatingIfNeeded: low)
    return high == (value < 0 ? -1 : 0) ? value : nil
  }
}
