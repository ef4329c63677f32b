/// A tensor's elements as stored, one unsigned word each: for code that must give back every bit.
///
/// F16, BF16, F32 and F64 are IEEE formats of sign and magnitude, so the word without its top bit
/// orders elements by |value|; `0` is both zeros, and the words from ``infinity(of:)`` on are
/// infinities and nans.
public protocol StoredWord: FixedWidthInteger, UnsignedInteger, BitwiseCopyable, Sendable {}

extension UInt16: StoredWord {}
extension UInt32: StoredWord {}
extension UInt64: StoredWord {}

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
  /// Reads consecutive elements as words, by their row-major positions.
  ///
  /// - Precondition: the tensor exists, its elements are as wide as `Word`, and `range` lies in it.
  /// - Throws: `.readFailure` if the file shrank.
  /// - Complexity: O(range.count).
  public func readWords<Word: StoredWord>(
    _ name: String, elements range: Range<Int>, into destination: inout MutableSpan<Word>
  ) throws(TensorFileError) {
    let width = Word.bitWidth / 8
    guard let entry = self[name] else { preconditionFailure("no tensor \(printable(name))") }
    precondition(
      entry.elementType.bitWidth == Word.bitWidth && range.lowerBound >= 0
        && range.upperBound <= entry.elementCount && destination.count == range.count)
    let (file, offset) = place(of: name)
    let bytes = offset + range.lowerBound * width..<offset + range.upperBound * width
    try withBytes(ofFile: file, bytes) { (bytes: RawSpan) throws(TensorFileError) in
      fill(&destination, from: bytes) { (word: Word) in word }
    }
  }
}
