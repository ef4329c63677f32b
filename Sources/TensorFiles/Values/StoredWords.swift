/// A tensor's elements as stored, one unsigned word each: for code that must give back every bit.
///
/// F16, BF16, F32 and F64 are IEEE formats of sign and magnitude, so the word without its top bit
/// orders elements by |value|; `0` is both zeros, and the words from ``infinity(of:)`` on are
/// infinities and nans.
public protocol StoredWord: FixedWidthInteger, UnsignedInteger, BitwiseCopyable, Sendable {
  /// How many words are +0 or −0.
  static func zeroCount(in words: Span<Self>) -> Int

  /// The largest magnitude bits; 0 of no words.
  static func largestMagnitude(of words: Span<Self>) -> Self

  /// How many words have these magnitude bits.
  static func count(of magnitude: Self, in words: Span<Self>) -> Int

  /// Adds each word's 16 magnitude bits from bit `shift` on to a histogram of 2¹⁶ bins; only words
  /// whose bits above those are `prefix`.
  ///
  /// The topmost digit has no sign bit, and its bins from 2¹⁵ on are a second set: a word counts in either.
  static func countDigits(
    of words: Span<Self>, at shift: Int, under prefix: Self, into histogram: inout [Int])

  /// Sets every word to +0 whose magnitude bits are below `limit`.
  static func clear(_ words: inout MutableSpan<Self>, below limit: Self)

  /// Sets words to +0 whose product is below `limit`, from word `first` on; zeros stay as they are.
  ///
  /// - Precondition: there is a word for each product.
  static func clear(
    _ words: inout MutableSpan<Self>, from first: Int, products: Span<Float>, below limit: Float)
}

extension StoredWord {
  /// The word without its sign.
  @inlinable public var magnitudeBits: Self { self & (Self.max >> 1) }

  /// The magnitude bits of an infinity of the type.
  ///
  /// - Precondition: the type is F16, BF16, F32 or F64 and as wide as `Self`.
  public static func infinity(of type: ElementType) -> Self {
    precondition(type.isFloatingPoint && type.bitWidth == Self.bitWidth)
    return switch type {
    case .float16: 0x7C00
    case .bfloat16: 0x7F80
    case .float32: Self(truncatingIfNeeded: UInt32(0x7F80_0000))
    default: Self(truncatingIfNeeded: UInt64(0x7FF0_0000_0000_0000))
    }
  }
}

extension TensorCollection {
  /// Consecutive elements as words, by their row-major positions.
  ///
  /// - Precondition: the tensor exists, its elements are as wide as `Word`, and `range` lies in it.
  /// - Throws: `.readFailure` if the file shrank.
  /// - Complexity: one copy of the bytes.
  @specialized(where Word == UInt16)
  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  public func words<Word: StoredWord>(
    _ name: String, elements range: Range<Int>, as type: Word.Type
  ) throws(TensorFileError) -> [Word] {
    let (file, bytes) = bytes(name, elements: range, width: Word.bitWidth)
    // Filled before anyone reads it; storing 0 first would touch every page twice.
    return try unsafe [Word](unsafeUninitializedCapacity: range.count) {
      (buffer, count) throws(TensorFileError) in
      try unsafe members[file].file.read(
        at: bytes.lowerBound,
        into: UnsafeMutableRawBufferPointer(
          start: buffer.baseAddress, count: bytes.count))
      count = range.count
    }
  }

  /// Copies consecutive elements as words.
  ///
  /// - Precondition: as for ``words(_:elements:as:)``, and one place per element.
  /// - Throws: `.readFailure` if the file shrank.
  @specialized(where Word == UInt16)
  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  public func readWords<Word: StoredWord>(
    _ name: String, elements range: Range<Int>, into words: inout MutableSpan<Word>
  ) throws(TensorFileError) {
    precondition(words.count == range.count)
    let (file, bytes) = bytes(name, elements: range, width: Word.bitWidth)
    try unsafe words.withUnsafeMutableBytes { (places) throws(TensorFileError) in
      try unsafe members[file].file.read(at: bytes.lowerBound, into: places)
    }
  }

  /// Copies words that begin at a byte of file number `file`; see ``place(of:)``.
  ///
  /// - Precondition: the words lie within the file.
  /// - Throws: `.readFailure` if the file shrank.
  @specialized(where Word == UInt16)
  @specialized(where Word == UInt32)
  @specialized(where Word == UInt64)
  public func readWords<Word: StoredWord>(
    ofFile file: Int, at byteOffset: Int, into words: inout MutableSpan<Word>
  ) throws(TensorFileError) {
    try unsafe words.withUnsafeMutableBytes { (places) throws(TensorFileError) in
      try unsafe members[file].file.read(at: byteOffset, into: places)
    }
  }

  private func bytes(
    _ name: String, elements range: Range<Int>, width: Int
  ) -> (file: Int, bytes: Range<Int>) {
    guard let entry = self[name] else { preconditionFailure("no tensor \(printable(name))") }
    precondition(
      entry.elementType.bitWidth == width && range.lowerBound >= 0
        && range.upperBound <= entry.elementCount)
    let (file, offset) = place(of: name)
    let size = width / 8
    return (file, offset + range.lowerBound * size..<offset + range.upperBound * size)
  }
}
