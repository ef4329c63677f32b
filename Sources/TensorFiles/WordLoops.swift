// Loops over many words without a branch: whether a weight is 0 after pruning is a coin toss, which a
// processor guesses wrong every other time.

extension StoredWord {
  /// How many words are +0 or −0.
  @specialized(where Self == UInt16)
  @specialized(where Self == UInt32)
  @specialized(where Self == UInt64)
  public static func zeroCount(in words: [Self]) -> Int {
    let span = words.span
    var count = 0
    for index in 0..<span.count {
      count &+= unsafe span[unchecked: index] & (max >> 1) == 0 ? 1 : 0
    }
    return count
  }

  /// Sets every word to +0 whose magnitude bits are below `limit`.
  @specialized(where Self == UInt16)
  @specialized(where Self == UInt32)
  @specialized(where Self == UInt64)
  public static func clear(_ words: inout [Self], below limit: Self) {
    var span = words.mutableSpan
    for index in 0..<span.count {
      let word = unsafe span[unchecked: index]
      // All ones where the word stays.
      let mask: Self = word & (max >> 1) < limit ? 0 : max
      unsafe span[unchecked: index] = word & mask
    }
  }
}
