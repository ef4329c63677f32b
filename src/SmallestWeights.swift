public import TensorFiles

/// The `count` smallest of many keys: all below `key`, and the first `ties` of those equal to it.
struct SmallestWeights<Key: StoredWord>: Equatable {
  let key: Key
  let ties: Int

  /// Finds them by counting digits from the top: never a sort, and never a copy of the keys.
  ///
  /// `forEach` walks the keys, the same ones at each call. A radix of `digit` bits: few for few keys,
  /// since a count of 2^digit numbers is kept.
  /// - Precondition: 0 < count ≤ number of keys.
  /// - Complexity: ⌈bits/digit⌉ passes over the keys.
  init(
    _ count: Int, digit: Int, forEach: ((Key) -> Void) -> Void
  ) {
    var search = DigitSearch<Key>(count, digit: digit)
    while !search.isDone {
      let (shift, width) = (search.shift, search.width)
      let mask = Key(truncatingIfNeeded: (1 << width) - 1)
      var histogram = [Int](repeating: 0, count: 1 << width)
      forEach { key in
        if search.includes(key) {
          histogram[Int(truncatingIfNeeded: key >> Key(shift) & mask)] += 1
        }
      }
      search.narrow(by: histogram)
    }
    key = search.prefix
    ties = search.remaining
  }
}
