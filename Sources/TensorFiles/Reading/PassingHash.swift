/// The XXH64 of a tensor's stored bytes, taken while its elements are decoded, so that they are read once
/// for both.
///
/// Elements that come in order, from the first on, are hashed as they pass by. What comes again, or
/// before its turn, is left out; a tensor that is never read whole and in order gets no digest here.
public struct PassingHash: Sendable {
  private var hash = XXHash64()
  /// How many elements are in the hash: the first of the tensor.
  private var hashed = 0

  public init() {}

  mutating func take(_ bytes: RawSpan, elements range: Range<Int>) {
    guard range.lowerBound == hashed else { return }
    hash.update(bytes)
    hashed = range.upperBound
  }

  /// The hash of a tensor of `count` elements, equal to `TensorCollection.checksum(of:)`; nil as long as
  /// some have not passed by.
  public func digest(ofElements count: Int) -> UInt64? { hashed == count ? hash.digest : nil }
}
