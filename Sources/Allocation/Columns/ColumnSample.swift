extension UnitColumns {
  /// About one unit for every `stride`, drawn in proportion to its size s = 1 + first/mean(first), + third/mean(third)
  /// where `thirdIsWide`, and scaled by 1/(n p), p the share of s: sums over them estimate the sums over all.
  /// Those of `foremost` come as they are, and are not drawn.
  ///
  /// Deterministic: the units are laid end to end, as long as their sizes; the line is cut into n equal
  /// parts, and the unit at a place of each part that looks random is taken, so that units that repeat (a
  /// block of seven modules) are not always met at the same one.
  /// - Complexity: what is drawn, and one reading of `third` where that is wide.
  func sample(every stride: Int, scaled: (LaneGroup, Double) -> LaneGroup) -> UnitColumns {
    let wanted = max(count / stride, 1)
    var sampled = UnitColumns(filler: filler, capacity: wanted + foremost.count)
    guard count > 0 else { return sampled }
    let sums = firstSums.isEmpty ? blockSums(of: self.first) : firstSums
    let slope = self.slope(of: sums)
    let byThird = thirdIsWide
    let thirdSums = byThird ? blockSums(of: third) : []
    let thirdSlope = byThird ? self.slope(of: thirdSums) : 0
    let parts = 1.0 + (slope > 0 ? 1 : 0) + (thirdSlope > 0 ? 1 : 0)
    let part = Double(count) * parts / Double(wanted)

    /// A place in the part of that number that looks random.
    func place(_ drawn: Int) -> Double {
      (Double(drawn) + Double(scrambled(UInt64(drawn)) >> 11) * 0x1p-53) * part
    }
    for place in foremost { sampled.append(self[place / 4], lane: place % 4) }
    let certain = Set(foremost)
    var drawn = 0
    var next = place(0)
    var end = 0.0
    var first = 0
    for (block, sum) in sums.enumerated() {
      let last = min(first + Self.sampledGroups, groups)
      var size = Double(4 * (last - first)) + slope * sum
      if byThird { size += thirdSlope * thirdSums[block] }
      let blockEnd = end + size
      while next < blockEnd && drawn < wanted {
        let found = unit(at: next - end, from: first, to: last, slope, thirdSlope)
        let unit = 4 * found.group + found.lane
        if unit < count, !certain.contains(unit) {
          sampled.append(scaled(self[found.group], part / found.size), lane: found.lane)
        }
        drawn += 1
        next = place(drawn)
      }
      end = blockEnd
      first = last
    }
    return sampled
  }

  /// Σ of a column over every sixteen groups.
  private func blockSums(of column: [Lanes]) -> [Double] {
    let column = column.span
    var sums: [Double] = []
    sums.reserveCapacity(groups / Self.sampledGroups + 1)
    for start in Swift.stride(from: 0, to: groups, by: Self.sampledGroups) {
      var sum = Lanes.zero
      for group in start..<min(start + Self.sampledGroups, groups) { sum += column[group] }
      sums.append(sum.sum())
    }
    return sums
  }

  /// One by the mean of a column; 0 where that is no number to go by.
  private func slope(of sums: [Double]) -> Double {
    let mean = sums.reduce(0, +) / Double(count)
    return mean > 0 && mean.isFinite ? 1 / mean : 0
  }

  /// The unit that covers a place on the line of sizes that begins with group `first`.
  private func unit(
    at place: Double, from first: Int, to last: Int, _ slope: Double, _ thirdSlope: Double
  ) -> (group: Int, lane: Int, size: Double) {
    var left = place
    for group in first..<last {
      var sizes = 1 + slope * self.first[group]
      if thirdSlope > 0 { sizes += thirdSlope * third[group] }
      for lane in 0..<4 {
        if left < sizes[lane] || group == last - 1 && lane == 3 {
          return (group, lane, sizes[lane])
        }
        left -= sizes[lane]
      }
    }
    preconditionFailure("the place is on the line")
  }
}
