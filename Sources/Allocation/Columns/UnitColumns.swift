/// Four units side by side, as vector instructions take them.
typealias Lanes = SIMD4<Double>

/// The five numbers of four units that a formula needs.
struct LaneGroup: Sendable {
  var first: Lanes
  var second: Lanes
  var third: Lanes
  var lower: Lanes
  var upper: Lanes
}

/// The numbers of many units, one array per number: 40 bytes per unit.
///
/// What the first three mean is the formula's affair; the last two are the bounds. Groups of four are
/// filled up with units that ask for nothing. The order of the units means nothing: sums are exact.
struct UnitColumns: Sendable {
  /// Units, without those that fill up the last group.
  private(set) var count = 0
  private(set) var first: [Lanes] = []
  private(set) var second: [Lanes] = []
  private(set) var third: [Lanes] = []
  private(set) var lower: [Lanes] = []
  private(set) var upper: [Lanes] = []
  /// A unit that asks for nothing, in every lane.
  let filler: LaneGroup

  init(filler: LaneGroup, capacity: Int) {
    self.filler = filler
    let groups = (capacity + 3) / 4
    first.reserveCapacity(groups)
    second.reserveCapacity(groups)
    third.reserveCapacity(groups)
    lower.reserveCapacity(groups)
    upper.reserveCapacity(groups)
  }

  var groups: Int { first.count }

  /// Whether every column holds these groups.
  @inline(__always)
  func holds(_ block: Range<Int>) -> Bool {
    block.lowerBound >= 0 && block.upperBound <= first.count && block.upperBound <= second.count
      && block.upperBound <= third.count && block.upperBound <= lower.count
      && block.upperBound <= upper.count
  }

  subscript(group: Int) -> LaneGroup {
    LaneGroup(
      first: first[group], second: second[group], third: third[group], lower: lower[group],
      upper: upper[group])
  }

  /// Adds up to four units, those of the first `count` lanes.
  /// - Precondition: all groups so far are full.
  mutating func append(_ group: LaneGroup, count added: Int = 4) {
    precondition(count == 4 * groups && (1...4).contains(added), "groups are filled one by one")
    var group = group
    for lane in added..<4 { group.copyLane(lane, from: filler, at: lane) }
    first.append(group.first)
    second.append(group.second)
    third.append(group.third)
    lower.append(group.lower)
    upper.append(group.upper)
    count += added
  }

  /// Adds up to four units of other columns.
  mutating func append(_ others: UnitColumns, at positions: ArraySlice<Int>) {
    var group = filler
    for (lane, position) in positions.enumerated() {
      group.copyLane(lane, from: others[position / 4], at: position % 4)
    }
    append(group, count: positions.count)
  }

  /// Takes out the units whose bit is set: bit l of `marks[g]` stands for lane l of group g.
  ///
  /// Without a branch per unit: every unit is written, and the next one over it unless it stays.
  /// - Complexity: one pass over the units.
  mutating func remove(marked marks: [UInt8]) {
    precondition(marks.count == groups, "one byte of marks per group")
    var kept = 0
    for group in 0..<groups {
      let mark = marks[group]
      if mark == 0xF { continue }
      let lanes = self[group]
      for lane in 0..<4 {
        put(lanes, lane, at: kept)
        kept += 1 - Int(mark >> UInt8(lane) & 1)
      }
    }
    // The fillers of the last group are units to the loop; they went if they were marked, and if not
    // they may stay: they ask for nothing.
    let groups = (kept + 3) / 4
    for place in kept..<4 * groups { put(filler, 0, at: place) }
    first.removeLast(self.groups - groups)
    second.removeLast(second.count - groups)
    third.removeLast(third.count - groups)
    lower.removeLast(lower.count - groups)
    upper.removeLast(upper.count - groups)
    count = kept
  }

  private mutating func put(_ lanes: LaneGroup, _ lane: Int, at place: Int) {
    Self.put(lanes.first[lane], at: place, in: &first)
    Self.put(lanes.second[lane], at: place, in: &second)
    Self.put(lanes.third[lane], at: place, in: &third)
    Self.put(lanes.lower[lane], at: place, in: &lower)
    Self.put(lanes.upper[lane], at: place, in: &upper)
  }

  /// One number is written through the bytes, which checks the place: setting a lane that is not known
  /// when compiling would carry the whole group through memory. What is written is a Float64 where a
  /// Float64 was.
  @inline(__always)
  private static func put(_ value: Double, at place: Int, in column: inout [Lanes]) {
    var span = column.mutableSpan
    var bytes = unsafe span.mutableBytes
    bytes.storeBytes(of: value, toByteOffset: 8 * place, as: Double.self)
  }
}

extension LaneGroup {
  fileprivate mutating func copyLane(_ lane: Int, from other: LaneGroup, at place: Int) {
    first[lane] = other.first[place]
    second[lane] = other.second[place]
    third[lane] = other.third[place]
    lower[lane] = other.lower[place]
    upper[lane] = other.upper[place]
  }
}
