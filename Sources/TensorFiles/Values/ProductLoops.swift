/// Loops over a row of weights and the scales of its columns, without a branch that depends on a value:
/// where a weight lies beside a cut is a coin toss, which a processor guesses wrong every other time.
public enum ProductLoops {
  /// products[j] = |values[j]| scales[j]; returns their sum, in eight lanes, so that the order of additions
  /// is the same everywhere.
  ///
  /// - Precondition: equal counts.
  public static func multiply(
    _ values: Span<Float>, _ scales: Span<Float>, into products: inout MutableSpan<Float>
  ) -> Float {
    precondition(values.count == scales.count && products.count == values.count)
    for index in 0..<values.count {
      unsafe products[unchecked: index] =
        values[unchecked: index].magnitude * scales[unchecked: index]
    }
    var (a, b, c, d): (Float, Float, Float, Float) = (0, 0, 0, 0)
    var (e, f, g, h): (Float, Float, Float, Float) = (0, 0, 0, 0)
    let whole = values.count & ~7
    for first in stride(from: 0, to: whole, by: 8) {
      unsafe a += products[unchecked: first]
      unsafe b += products[unchecked: first &+ 1]
      unsafe c += products[unchecked: first &+ 2]
      unsafe d += products[unchecked: first &+ 3]
      unsafe e += products[unchecked: first &+ 4]
      unsafe f += products[unchecked: first &+ 5]
      unsafe g += products[unchecked: first &+ 6]
      unsafe h += products[unchecked: first &+ 7]
    }
    var sum = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for index in whole..<values.count { sum += products[index] }
    return sum
  }

  /// How many products lie below `low`, and how many from `low` to `high`; the positions of the latter go
  /// into `positions`, ascending.
  ///
  /// Bits of numbers of one sign are ordered as the numbers, so differences have the sign of an order.
  /// - Precondition: no product is negative or nan, 0 < low ≤ high; `flags` and `positions` have a place
  ///   for each product, rounded up to 8.
  public static func bracket(
    _ products: Span<Float>, from low: Float, to high: Float, flags: inout MutableSpan<UInt8>,
    positions: inout MutableSpan<Int32>
  ) -> (below: Int, inside: Int) {
    let padded = (products.count + 7) & ~7
    precondition(flags.count >= padded && positions.count >= padded)
    let first = Int32(bitPattern: low.bitPattern)
    let length = Int32(bitPattern: high.bitPattern) &- first

    // 1. Below: a negative difference. Inside: neither that nor above.
    var below: Int32 = 0
    for index in 0..<products.count {
      let offset = Int32(bitPattern: unsafe products[unchecked: index].bitPattern) &- first
      below &-= offset &>> 31
      let outside = (offset | (length &- offset)) &>> 31
      unsafe flags[unchecked: index] = UInt8(truncatingIfNeeded: ~outside) & 1
    }
    for index in products.count..<padded { flags[index] = 0 }

    // 2. The positions of the few that are inside, eight flags at a time.
    var inside = 0
    let bytes = unsafe flags.span.bytes
    for start in stride(from: 0, to: padded, by: 8) {
      var word = UInt64(
        littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self))
      while word != 0 {
        unsafe positions[unchecked: inside] = Int32(
          truncatingIfNeeded: start &+ word.trailingZeroBitCount &>> 3)
        inside &+= 1
        word &= word &- 1
      }
    }
    return (Int(below), inside)
  }
}
