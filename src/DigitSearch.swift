public import TensorFiles

/// Finds the `count`-th smallest of many keys digit by digit from the top, by histograms of digits.
struct DigitSearch<Key: StoredWord>: Sendable {
  /// The digits found so far: those of the `count`-th key.
  private(set) var prefix: Key = 0
  /// How many of the keys that begin with ``prefix`` are among the `count` smallest.
  private(set) var remaining: Int
  /// Bits below the digit that comes next.
  private(set) var shift: Int
  private let digit: Int
  private var known = 0

  /// - Precondition: 0 ≤ count ≤ number of keys; with 0 the whole key is 0 and none remain.
  init(_ count: Int, digit: Int) {
    remaining = count
    self.digit = digit
    shift = Key.bitWidth - min(digit, Key.bitWidth)
  }

  var isFirst: Bool { known == 0 }
  var isDone: Bool { known == Key.bitWidth }
  /// Whether any key is among the smallest.
  var hasAny: Bool { remaining > 0 }
  /// Bits of the digit that comes next.
  var width: Int { Key.bitWidth - known - shift }

  /// Whether a key begins with the digits found.
  @inline(__always)
  func includes(_ key: Key) -> Bool { known == 0 || key >> Key(shift + width) == prefix }

  /// Takes how many of the included keys have which next digit.
  mutating func narrow(by histogram: [Int]) {
    var bin = 0
    while remaining > histogram[bin] {
      remaining -= histogram[bin]
      bin += 1
    }
    prefix = (known == 0 ? 0 : prefix << Key(width)) | Key(truncatingIfNeeded: bin)
    known = Key.bitWidth - shift
    shift -= min(digit, shift)
  }
}
