// Loops over many words without a branch: whether a weight is 0 after pruning is a coin toss, which a
// processor guesses wrong every other time. The requirements are met type by type, as in
// ElementDecoding.swift: a generic function called from another module would not be specialized.

extension UInt16: StoredWord {
  public static func zeroCount(in words: [UInt16]) -> Int {
    unsafe countZeros(words.span.bytes, as: UInt16.self)
  }
  public static func zeroCount(inBytes bytes: RawSpan) -> Int {
    countZeros(bytes, as: UInt16.self)
  }
  public static func clear(_ words: inout [UInt16], below limit: UInt16) {
    clearBelow(limit, &words)
  }
}

extension UInt32: StoredWord {
  public static func zeroCount(in words: [UInt32]) -> Int {
    unsafe countZeros(words.span.bytes, as: UInt32.self)
  }
  public static func zeroCount(inBytes bytes: RawSpan) -> Int {
    countZeros(bytes, as: UInt32.self)
  }
  public static func clear(_ words: inout [UInt32], below limit: UInt32) {
    clearBelow(limit, &words)
  }
}

extension UInt64: StoredWord {
  public static func zeroCount(in words: [UInt64]) -> Int {
    unsafe countZeros(words.span.bytes, as: UInt64.self)
  }
  public static func zeroCount(inBytes bytes: RawSpan) -> Int {
    countZeros(bytes, as: UInt64.self)
  }
  public static func clear(_ words: inout [UInt64], below limit: UInt64) {
    clearBelow(limit, &words)
  }
}

@inline(__always)
private func countZeros<Word: StoredWord>(_ bytes: RawSpan, as type: Word.Type) -> Int {
  let width = MemoryLayout<Word>.size
  let words = bytes.byteCount / width
  precondition(bytes.byteCount == words * width)
  var count = 0
  var first = 0
  // In pieces whose count fits a word, so that words and counters are lanes of one width.
  while first < words {
    let last = min(first + 4096, words)
    var part: Word = 0
    for index in first..<last {
      // In bounds by the precondition. The magnitude less 1 has its top bit set for 0 alone.
      let word = unsafe bytes.unsafeLoadUnaligned(
        fromUncheckedByteOffset: index &* width, as: Word.self)
      part &+= (word & (Word.max >> 1) &- 1) &>> Word(Word.bitWidth - 1)
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
