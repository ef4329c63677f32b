/// How many weights each module of a unit loses.
public enum CountSpread {
  /// By size: every module loses the same share, rounded down, and the largest remainders one more;
  /// ties in module order.
  ///
  /// - Precondition: 0 ≤ count ≤ Σ sizes.
  /// - Postcondition: the counts add up to `count`, none above its module's size.
  public static func uniform(_ count: Int, over sizes: [Int]) -> [Int] {
    let total = sizes.reduce(0, +)
    precondition(count >= 0 && count <= total)
    guard total > 0 else { return sizes }
    // In 128 bits: a product of two sizes may leave 64.
    let shares = sizes.map { Int128($0) * Int128(count) }
    var counts = shares.map { Int($0 / Int128(total)) }
    let missing = count - counts.reduce(0, +)
    let order = shares.indices.sorted {
      let (left, right) = (shares[$0] % Int128(total), shares[$1] % Int128(total))
      return left != right ? left > right : $0 < $1
    }
    for index in order.prefix(missing) { counts[index] += 1 }
    return counts
  }

  /// By one threshold over the unit on the measure of each module; ties in module order.
  ///
  /// `forEachKey` walks the keys of one module, the same ones at each call: up to four passes over all
  /// of them, one module in memory at a time.
  public static func byThreshold<Failure: Error>(
    _ count: Int, modules: Int,
    forEachKey: (_ module: Int, _ body: (UInt64) -> Void) throws(Failure) -> Void
  ) throws(Failure) -> [Int] {
    guard count > 0 else { return [Int](repeating: 0, count: modules) }
    var threshold: UInt64 = 0
    var remaining = count
    var below = [Int](repeating: 0, count: modules)
    var equal = [Int](repeating: 0, count: modules)
    for shift in [48, 32, 16, 0] as [UInt64] {
      // 1. How many keys of each module have which next digit, where the digits above agree.
      var histograms: [[Int]] = []
      for module in 0..<modules {
        var histogram = [Int](repeating: 0, count: 1 << 16)
        try forEachKey(module) { key in
          if shift == 48 || key >> (shift + 16) == threshold {
            histogram[Int(key >> shift & 0xFFFF)] += 1
          }
        }
        histograms.append(histogram)
      }
      // 2. The digit at which the count is reached.
      var bin = 0
      while true {
        let here = histograms.reduce(0) { $0 + $1[bin] }
        if here >= remaining { break }
        remaining -= here
        bin += 1
      }
      threshold = (shift == 48 ? 0 : threshold << 16) | UInt64(bin)
      for module in 0..<modules {
        below[module] += histograms[module][..<bin].reduce(0, +)
        equal[module] = histograms[module][bin]
      }
    }
    for module in 0..<modules {
      let taken = min(remaining, equal[module])
      below[module] += taken
      remaining -= taken
    }
    return below
  }
}
