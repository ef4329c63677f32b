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
  /// Σ of `first` over every `sampledGroups`, for a sample; none once units have left or were added one by one.
  private(set) var firstSums: [Double] = []
  /// Groups whose sizes are added up before any of their units is looked at.
  static var sampledGroups: Int { 16 }
  /// Whether `third` is a size that differs so much from unit to unit that a sample must heed it.
  var thirdIsWide = false
  /// Places of units that a sample takes for certain, as they may ask for all when others ask for nothing yet.
  var foremost: [Int] = []
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
    if groups % Self.sampledGroups == 0, firstSums.count * Self.sampledGroups == groups {
      firstSums.append(0)
    }
    if !firstSums.isEmpty { firstSums[firstSums.count - 1] += group.first.sum() }
    first.append(group.first)
    second.append(group.second)
    third.append(group.third)
    lower.append(group.lower)
    upper.append(group.upper)
    count += added
  }

  /// Adds one unit, a lane of a group.
  mutating func append(_ group: LaneGroup, lane: Int) {
    if count == 4 * groups {
      var first = filler
      first.copyLane(0, from: group, at: lane)
      append(first, count: 1)
    } else {
      var last = self[groups - 1]
      last.copyLane(count % 4, from: group, at: lane)
      replaceLast(with: last)
      count += 1
    }
  }

  private mutating func replaceLast(with group: LaneGroup) {
    let last = groups - 1
    firstSums = []
    first[last] = group.first
    second[last] = group.second
    third[last] = group.third
    lower[last] = group.lower
    upper[last] = group.upper
  }

  /// Takes out the units whose bit is set: bit l of `marks[g]` stands for lane l of group g. `count` is
  /// the number of units that stay.
  ///
  /// Columns that are shared with a copy of these are left alone and smaller ones made.
  /// - Complexity: one pass over the marks and one over the units that stay.
  mutating func remove(marked marks: [UInt8], leaving count: Int, isShared: Bool) {
    precondition(marks.count == groups, "one byte of marks per group")
    let places = unmarkedPlaces(marks, count: count)
    func shrink(_ column: inout [Lanes], _ filler: Double) {
      if isShared {
        column = gathered(column, places, count: count, filler: filler)
      } else {
        close(&column, places, count: count, filler: filler)
      }
    }
    shrink(&first, filler.first[0])
    shrink(&second, filler.second[0])
    shrink(&third, filler.third[0])
    shrink(&lower, filler.lower[0])
    shrink(&upper, filler.upper[0])
    self.count = count
    (foremost, firstSums) = ([], [])
  }

  /// Moves columns that are shared with a copy to memory of their own.
  mutating func makeUnique() {
    for column in [\UnitColumns.first, \.second, \.third, \.lower, \.upper] where groups > 0 {
      self[keyPath: column][0] = self[keyPath: column][0]
    }
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
