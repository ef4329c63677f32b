/// The key on one side of which every unit asks for its lower bound only.
///
/// A budget of next to nothing is met a small part of itself beyond, where the first few units ask: no grid of even
/// parts, and no sample of the units, comes near it.
struct DemandEdge: Sendable {
  let key: Int64
  /// Whether the units ask for more above it, as they do of γ, or below, as of prices.
  let asksAbove: Bool

  /// Keys on the side where units ask, at growing distances: in steps of 2⁴ up to 2⁴⁰ keys, then of √2 up to twice
  /// the edge.
  var keys: [Int64] {
    let near = stride(from: 4, to: 40, by: 4).map { Int64(1) << $0 }
    let far = (40...53).flatMap {
      [Int64(1) << $0, Int64((2.0.squareRoot() * 0x1p60)) >> (60 - $0)]
    }
    return (near + far).map { asksAbove ? key + $0 : key - $0 }
  }
}
