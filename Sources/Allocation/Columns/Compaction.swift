/// The places of all units whose bit is not set in `marks`, in order: 4 · group + lane.
///
/// Without a branch per unit: the four places of a group are written together, those that stay first,
/// and the next group's over the others.
func unmarkedPlaces(_ marks: [UInt8], count: Int) -> [UInt32] {
  precondition(marks.count < 1 << 30, "places of 32 bits")
  let orders = (0..<16).map { mark in
    var order = SIMD4<UInt32>()
    var kept = 0
    for lane in 0..<4 where mark >> lane & 1 == 0 {
      order[kept] = UInt32(lane)
      kept += 1
    }
    return order
  }
  var places = [UInt32](repeating: 0, count: count + 4)
  var kept = 0
  let marks = marks.span
  let table = orders.span
  var span = places.mutableSpan
  // Four numbers of 32 bits are written where numbers of 32 bits were, wherever they begin; the place is
  // checked.
  var bytes = unsafe span.mutableBytes
  for group in marks.indices {
    let mark = marks[group]
    bytes.storeBytes(
      of: table[Int(mark & 0xF)] &+ UInt32(4 * group), toByteOffset: 4 * kept,
      as: SIMD4<UInt32>.self)
    kept += 4 - mark.nonzeroBitCount
  }
  precondition(kept == count, "as many units stay as were counted")
  return places
}

/// The numbers at the places, in groups, the last one filled up.
func gathered(
  _ column: [Lanes], _ places: [UInt32], count: Int, filler: Double
) -> [Lanes] {
  let source = unsafe column.span.bytes
  let places = places.span
  var smaller: [Lanes] = []
  smaller.reserveCapacity((count + 3) / 4)
  for start in stride(from: 0, to: count, by: 4) {
    var lanes = Lanes(
      at(places[start], source), at(places[start + 1], source), at(places[start + 2], source),
      at(places[start + 3], source))
    for lane in min(4, count - start)..<4 { lanes[lane] = filler }
    smaller.append(lanes)
  }
  return smaller
}

/// The same within the column: no place is before the one that its number moves to.
func close(_ column: inout [Lanes], _ places: [UInt32], count: Int, filler: Double) {
  let groups = (count + 3) / 4
  do {
    var span = column.mutableSpan
    let places = places.span
    for group in 0..<groups {
      let start = 4 * group
      let lanes = unsafe Lanes(
        at(places[start], span.bytes), at(places[start + 1], span.bytes),
        at(places[start + 2], span.bytes), at(places[start + 3], span.bytes))
      span[group] = lanes
    }
    for place in count..<4 * groups { span[groups - 1][place % 4] = filler }
  }
  column.removeLast(column.count - groups)
}

/// The number at a place. Columns are numbers without gaps; the place is checked.
@inline(__always)
private func at(_ place: UInt32, _ column: RawSpan) -> Double {
  unsafe column.unsafeLoad(fromByteOffset: 8 * Int(place), as: Double.self)
}
