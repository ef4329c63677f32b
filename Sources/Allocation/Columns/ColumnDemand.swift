/// The demand of many units by a `ColumnFormula`: the sums of `SlicedDemand`, bit for bit, faster.
struct ColumnDemand<Formula: ColumnFormula>: SearchedDemand {
  let formula: Formula
  let cutter: LimbCutter
  /// 1, or −1 where the formula grows with the key.
  let sign: Int128
  private var columns: UnitColumns
  private var settled: Int128 = 0
  /// Which units ask for the same at both ends of `markedKeys`, and what they ask for together.
  private var marks: [UInt8] = []
  private var markedKeys: ClosedRange<Int64>?
  private var markedCount = 0
  private var markedSum: Int128 = 0
  private(set) var evaluations = 0

  init(_ formula: Formula, cutter: LimbCutter, sign: Int128, columns: consuming UnitColumns) {
    self.formula = formula
    self.cutter = cutter
    self.sign = sign
    self.columns = columns
  }

  var activeUnits: Int { columns.count }

  /// - Complexity: one term per active unit and key, four at a time.
  mutating func localSums(at keys: [Int64]) -> [Int128] {
    evaluations += columns.count * keys.count
    // The ends of a few keys are likely to be the ends of the next bracket.
    let marking = (2...16).contains(keys.count)
    let points = keys.map(formula.point)
    var sums = [Int128](repeating: 0, count: keys.count)
    markedKeys = marking ? keys[0]...keys[keys.count - 1] : nil
    (markedCount, markedSum) = (0, 0)
    if marking && marks.count != columns.groups {
      marks = [UInt8](repeating: 0, count: columns.groups)
    }
    // Block by block, so that a block stays in the cache from key to key.
    for start in stride(from: 0, to: columns.groups, by: LimbCutter.blockGroups) {
      let block = start..<min(start + LimbCutter.blockGroups, columns.groups)
      let single = marking ? 1..<keys.count - 1 : 0..<keys.count
      for index in single {
        sums[index] += cutter.total(sum(of: block, at: points[index]))
      }
      if marking {
        let ends = sumAndMark(block, at: points[0], and: points[keys.count - 1])
        sums[0] += cutter.total(ends.first)
        sums[keys.count - 1] += cutter.total(ends.last)
        markedSum += cutter.total(ends.settled)
      }
    }
    return sums.map { settled + sign * $0 }
  }

  private func sum(of block: Range<Int>, at point: Formula.Point) -> LimbedSum {
    cutter.hasTwoLimbs
      ? sum(of: block, at: point, twoLimbs: true) : sum(of: block, at: point, twoLimbs: false)
  }

  @inline(__always)
  private func sum(
    of block: Range<Int>, at point: Formula.Point, twoLimbs: Bool
  ) -> LimbedSum {
    var sum = LimbedSum(groups: block.count)
    let (formula, cutter) = (formula, cutter)
    // Spans checked once, outside the loop: the loop itself is vector instructions only.
    let (first, second, third) = (columns.first.span, columns.second.span, columns.third.span)
    let (lower, upper) = (columns.lower.span, columns.upper.span)
    precondition(columns.holds(block), "a block of groups that are there")
    for group in block {
      let units = LaneGroup(
        first: first[group], second: second[group], third: third[group], lower: lower[group],
        upper: upper[group])
      sum.add(formula.terms(of: units, at: point), cutter, twoLimbs: twoLimbs)
    }
    return sum
  }

  /// The sums at two points, and the sum over the units that ask for the same at both, which are marked.
  @inline(never)
  private mutating func sumAndMark(
    _ block: Range<Int>, at first: Formula.Point, and last: Formula.Point
  ) -> (first: LimbedSum, last: LimbedSum, settled: LimbedSum) {
    var sums = (
      first: LimbedSum(groups: block.count), last: LimbedSum(groups: block.count),
      settled: LimbedSum(groups: block.count)
    )
    let (formula, cutter) = (formula, cutter)
    var marked = 0
    for group in block {
      let units = columns[group]
      let low = formula.terms(of: units, at: first)
      let high = formula.terms(of: units, at: last)
      let equal = low .== high
      sums.first.add(low, cutter, twoLimbs: false)
      sums.last.add(high, cutter, twoLimbs: false)
      sums.settled.add(Lanes.zero.replacing(with: low, where: equal), cutter, twoLimbs: false)
      let bits = SIMD4<Int64>.zero.replacing(with: SIMD4(1, 2, 4, 8), where: equal)
      let mark = UInt8(truncatingIfNeeded: bits.wrappedSum())
      marks[group] = mark
      marked += mark.nonzeroBitCount
    }
    markedCount += marked
    return sums
  }

  /// Takes out the marked units if the bracket lies where they were marked and they are many enough to
  /// be worth the pass.
  mutating func narrow(to bracket: ClosedRange<Int64>) {
    guard let markedKeys, markedKeys.contains(bracket.lowerBound),
      markedKeys.contains(bracket.upperBound), markedCount * 4 >= columns.count
    else { return }
    columns.remove(marked: marks)
    marks = []
    settled += sign * markedSum
    self.markedKeys = nil
  }

  func sample(every stride: Int) -> Self {
    let positions = sampledPositions(of: columns.count, every: stride)
    var sampled = UnitColumns(filler: columns.filler, capacity: positions.count)
    for start in Swift.stride(from: 0, to: positions.count, by: 4) {
      sampled.append(columns, at: positions[start..<min(start + 4, positions.count)])
    }
    return ColumnDemand(formula, cutter: cutter, sign: sign, columns: sampled)
  }
}
