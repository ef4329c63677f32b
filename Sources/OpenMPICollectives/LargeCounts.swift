/// Cuts a count into parts that an MPI call can take: its counts are 32-bit `int`.
///
/// All ranks of a call must cut alike, so `largest` is equal on every rank.
struct LargeCounts: Equatable, Sendable {
  /// The largest count in one MPI call, at least 1.
  let largest: Int32

  /// Calls `body` with the offset and the count of each part, in order; not at all for no elements.
  func forEachPart(of count: Int, _ body: (_ offset: Int, _ count: Int32) -> Void) {
    var offset = 0
    while offset < count {
      let part = Int32(min(count - offset, Int(largest)))
      body(offset, part)
      offset += Int(part)
    }
  }

  /// Parts of no more than `limit` elements, to bound the memory of a copy.
  func capped(at limit: Int32) -> LargeCounts {
    LargeCounts(largest: min(largest, limit))
  }
}
