internal import Collectives

/// −Σ min(t, room) against a whole-number level t.
private struct RoomBelow: DemandCurve {
  func point(at key: Int64) -> Int64 { key }
  func term(of unit: Int64, at point: Int64) -> Int128 { -Int128(min(point, unit)) }
}

extension PriceSearch {
  /// Spreads `amount` whole pieces over units so that the largest share is as small as possible:
  /// everyone takes up to a common level, and the last pieces go in unit order.
  ///
  /// `room[i]` is what unit `indices[i]` of this rank can take at most; its share is returned.
  /// Collective. - Precondition: 0 < amount ≤ Σ room over all ranks.
  mutating func evenSpread(
    _ amount: Int128, room: [Int], indices: [Int], totalUnits: Int,
    over world: borrowing some Collective & ~Copyable
  ) -> [Int] {
    // The lowest level at which all of it is taken; one level lower something is left.
    let crossing = firstKey(
      for: .level, of: SlicedDemand(RoomBelow(), units: room.map(Int64.init)), meeting: -amount,
      in: 0...Int64(1 << 53), over: world)
    let level = Int(crossing.key) - 1
    var shares = room.map { min($0, level) }
    let served = sum([shares.reduce(0) { $0 + Int128($1) }], over: world)[0]

    let candidates = zip(indices, room).filter { $1 > level }.map {
      FillCandidate(index: $0.0, amount: 1)
    }
    let cut = unitOrderCut(
      candidates, available: amount - served, totalUnits: totalUnits, over: world)
    for position in room.indices where room[position] > level {
      shares[position] += Int(cut.share(of: FillCandidate(index: indices[position], amount: 1)))
    }
    return shares
  }
}
