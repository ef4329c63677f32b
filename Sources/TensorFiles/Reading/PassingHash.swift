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

  /// Decodes the bytes of consecutive elements to `values` from place `first` on, and takes them if it is their
  /// turn; whether all are finite.
  ///
  /// - Precondition: `range.count` elements of `type`, and as many places.
  mutating func decode<Element: DecodedElement>(
    _ bytes: RawSpan, elements range: Range<Int>, of type: ElementType,
    into values: inout MutableSpan<Element>, from first: Int
  ) -> Bool {
    guard range.lowerBound == hashed else {
      return Element.decodeChecked(bytes, of: type, into: &values, from: first)
    }
    hashed = range.upperBound
    guard Element.hasHashingLoop(for: type) else {
      hash.update(bytes)
      return Element.decodeChecked(bytes, of: type, into: &values, from: first)
    }

    // What fills a stripe that was begun, whole stripes in one loop, what begins the next.
    let width = type.bitWidth / 8
    let head = min(hash.bytesToStripe, bytes.byteCount)
    let tail = head + (bytes.byteCount - head) & ~31
    var allFinite = true
    for part in [0..<head, head..<tail, tail..<bytes.byteCount] where !part.isEmpty {
      let (stored, place) = (bytes.extracting(part), first + part.lowerBound / width)
      if part.lowerBound == head && part.upperBound == tail {
        allFinite =
          Element.decode(stored, of: type, into: &values, from: place, hashing: &hash) && allFinite
      } else {
        hash.update(stored)
        allFinite = Element.decodeChecked(stored, of: type, into: &values, from: place) && allFinite
      }
    }
    return allFinite
  }

  /// The hash of a tensor of `count` elements, equal to `TensorCollection.checksum(of:)`; nil as long as
  /// some have not passed by.
  public func digest(ofElements count: Int) -> UInt64? { hashed == count ? hash.digest : nil }
}
