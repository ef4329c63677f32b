internal import TensorFiles

/// The `count` smallest of many keys: all below `key`, and the first `ties` of those equal to it.
struct SmallestWeights<Key: StoredWord>: Equatable {
  let key: Key
  let ties: Int

  /// Finds them by counting digits from the top: never a sort, and never a copy of the keys.
  ///
  /// `forEach` walks the keys, the same ones at each call. A radix of `digit` bits: 16 for many keys,
  /// fewer for few, since a count of 2^digit numbers is kept.
  /// - Precondition: 0 < count ≤ number of keys.
  /// - Complexity: ⌈bits/digit⌉ passes over the keys.
  init(
    _ count: Int, digit: Int, forEach: ((Key) -> Void) -> Void
  ) {
    var chosen: Key = 0
    var remaining = count
    var shift = Key.bitWidth
    while shift > 0 {
      let width = min(digit, shift)
      let above = shift
      shift -= width
      let mask = Key(truncatingIfNeeded: (1 << width) - 1)
      var histogram = [Int](repeating: 0, count: 1 << width)
      forEach { key in
        if above == Key.bitWidth || key >> above == chosen {
          histogram[Int(truncatingIfNeeded: key >> shift & mask)] += 1
        }
      }
      var bin = 0
      while remaining > histogram[bin] {
        remaining -= histogram[bin]
        bin += 1
      }
      chosen = (above == Key.bitWidth ? 0 : chosen << width) | Key(truncatingIfNeeded: bin)
    }
    key = chosen
    ties = remaining
  }
}
