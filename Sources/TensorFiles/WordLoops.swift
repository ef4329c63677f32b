// Loops over many words without a branch: whether a weight is 0 after pruning is a coin toss, which a
// processor guesses wrong every other time. The requirements are met type by type, as in
// ElementDecoding.swift: a generic function called from another module would not be specialized.

extension UInt16: StoredWord {
  public static func zeroCount(in words: [UInt16]) -> Int { countZeros(words) }
  public static func clear(_ words: inout [UInt16], below limit: UInt16) {
    clearBelow(limit, &words)
  }
}

extension UInt32: StoredWord {
  public static func zeroCount(in words: [UInt32]) -> Int { countZeros(words) }
  public static func clear(_ words: inout [UInt32], below limit: UInt32) {
    clearBelow(limit, &words)
  }
}

extension UInt64: StoredWord {
  public static func zeroCount(in words: [UInt64]) -> Int { countZeros(words) }
  public static func clear(_ words: inout [UInt64], below limit: UInt64) {
    clearBelow(limit, &words)
  }
}

@inline(__always)
private func countZeros<Word: StoredWord>(_ words: [Word]) -> Int {
  let span = words.span
  var count = 0
  var first = 0
  // In pieces whose count fits a word, so that words and counters are lanes of one width.
  while first < span.count {
    let last = min(first + 4096, span.count)
    var part: Word = 0
    for index in first..<last {
      // The magnitude less 1 has its top bit set for 0 alone.
      part &+= unsafe (span[unchecked: index] & (Word.max >> 1) &- 1) &>> Word(Word.bitWidth - 1)
    }
    count += Int(part)
    first = last
  }
  return count
}

@inline(__always)
private func clearBelow<Word: StoredWord>(_ limit: Word, _ words: inout [Word]) {
  var span = words.mutableSpan
  for index in 0..<span.count {
    let word = unsafe span[unchecked: index]
    // All ones where the word stays.
    let mask: Word = word & (Word.max >> 1) < limit ? 0 : .max
    unsafe span[unchecked: index] = word & mask
  }
}
