// Loops over many words without a branch: whether a weight is 0 after pruning is a coin toss, which a
// processor guesses wrong every other time. The requirements are met type by type, as in
// ElementDecoding.swift: a generic function called from another module would not be specialized.

extension UInt16: StoredWord {
  public static func zeroCount(in words: Span<UInt16>) -> Int { countEqual(0, words) }
  public static func largestMagnitude(of words: Span<UInt16>) -> UInt16 { largest(words) }
  public static func count(of magnitude: UInt16, in words: Span<UInt16>) -> Int {
    countEqual(magnitude, words)
  }
  public static func countDigits(
    of words: Span<UInt16>, at shift: Int, under prefix: UInt16, into histogram: inout [Int]
  ) {
    TensorFiles.countDigits(words, shift, prefix, &histogram)
  }
  public static func clear(_ words: inout MutableSpan<UInt16>, below limit: UInt16) {
    clearBelow(limit, &words)
  }
  public static func clear(
    _ words: inout MutableSpan<UInt16>, from first: Int, products: Span<Float>, below limit: Float
  ) {
    clearWhere(products, below: limit, &words, first)
  }
}

extension UInt32: StoredWord {
  public static func zeroCount(in words: Span<UInt32>) -> Int { countEqual(0, words) }
  public static func largestMagnitude(of words: Span<UInt32>) -> UInt32 { largest(words) }
  public static func count(of magnitude: UInt32, in words: Span<UInt32>) -> Int {
    countEqual(magnitude, words)
  }
  public static func countDigits(
    of words: Span<UInt32>, at shift: Int, under prefix: UInt32, into histogram: inout [Int]
  ) {
    TensorFiles.countDigits(words, shift, prefix, &histogram)
  }
  public static func clear(_ words: inout MutableSpan<UInt32>, below limit: UInt32) {
    clearBelow(limit, &words)
  }
  public static func clear(
    _ words: inout MutableSpan<UInt32>, from first: Int, products: Span<Float>, below limit: Float
  ) {
    clearWhere(products, below: limit, &words, first)
  }
}

extension UInt64: StoredWord {
  public static func zeroCount(in words: Span<UInt64>) -> Int { countEqual(0, words) }
  public static func largestMagnitude(of words: Span<UInt64>) -> UInt64 { largest(words) }
  public static func count(of magnitude: UInt64, in words: Span<UInt64>) -> Int {
    countEqual(magnitude, words)
  }
  public static func countDigits(
    of words: Span<UInt64>, at shift: Int, under prefix: UInt64, into histogram: inout [Int]
  ) {
    TensorFiles.countDigits(words, shift, prefix, &histogram)
  }
  public static func clear(_ words: inout MutableSpan<UInt64>, below limit: UInt64) {
    clearBelow(limit, &words)
  }
  public static func clear(
    _ words: inout MutableSpan<UInt64>, from first: Int, products: Span<Float>, below limit: Float
  ) {
    clearWhere(products, below: limit, &words, first)
  }
}

@inline(__always)
private func largest<Word: StoredWord>(_ words: Span<Word>) -> Word {
  var largest: Word = 0
  for index in 0..<words.count {
    largest = max(largest, unsafe words[unchecked: index] & (Word.max >> 1))
  }
  return largest
}

@inline(__always)
private func countEqual<Word: StoredWord>(_ magnitude: Word, _ words: Span<Word>) -> Int {
  var count = 0
  var first = 0
  // In pieces whose count fits a word, so that words and counters are lanes of one width.
  while first < words.count {
    let last = min(first + 4096, words.count)
    var part: Word = 0
    for index in first..<last {
      // The difference less 1 has its top bit set for 0 alone.
      let difference = unsafe words[unchecked: index] & (Word.max >> 1) ^ magnitude
      part &+= (difference &- 1) &>> Word(Word.bitWidth - 1)
    }
    count += Int(part)
    first = last
  }
  return count
}

@inline(__always)
private func countDigits<Word: StoredWord>(
  _ words: Span<Word>, _ shift: Int, _ prefix: Word, _ histogram: inout [Int]
) {
  precondition(histogram.count == 1 << 16 && shift >= 0 && shift <= Word.bitWidth - 16)
  var bins = histogram.mutableSpan
  if shift == Word.bitWidth - 16 {
    // In turns into two sets of bins: equal neighbours would wait for each other's sum. The sign bit is
    // left out, so the upper half of the bins is free for the second set.
    let whole = words.count & ~1
    for index in stride(from: 0, to: whole, by: 2) {
      let first = unsafe words[unchecked: index] & (Word.max >> 1)
      let second = unsafe words[unchecked: index &+ 1] | ~(Word.max >> 1)
      unsafe bins[unchecked: Int(truncatingIfNeeded: first &>> Word(shift))] &+= 1
      unsafe bins[unchecked: Int(truncatingIfNeeded: second &>> Word(shift))] &+= 1
    }
    if whole < words.count {
      bins[Int(truncatingIfNeeded: (words[whole] & (Word.max >> 1)) &>> Word(shift))] &+= 1
    }
  } else {
    for index in 0..<words.count {
      let bits = unsafe words[unchecked: index] & (Word.max >> 1)
      guard bits &>> Word(shift + 16) == prefix else { continue }
      unsafe bins[unchecked: Int(truncatingIfNeeded: bits &>> Word(shift) & 0xFFFF)] &+= 1
    }
  }
}

@inline(__always)
private func clearBelow<Word: StoredWord>(_ limit: Word, _ words: inout MutableSpan<Word>) {
  for index in 0..<words.count {
    let word = unsafe words[unchecked: index]
    // All ones where the word stays.
    let mask: Word = word & (Word.max >> 1) < limit ? 0 : .max
    unsafe words[unchecked: index] = word & mask
  }
}

@inline(__always)
private func clearWhere<Word: StoredWord>(
  _ products: Span<Float>, below limit: Float, _ words: inout MutableSpan<Word>, _ first: Int
) {
  precondition(first >= 0 && first <= words.count - products.count)
  for index in 0..<products.count {
    let word = unsafe words[unchecked: first &+ index]
    let goes = unsafe products[unchecked: index] < limit
    // A zero loses nothing, its sign included.
    let mask: Word = goes && word & (Word.max >> 1) != 0 ? 0 : .max
    unsafe words[unchecked: first &+ index] = word & mask
  }
}
