/// The loops over columns, compiled for one formula each.
///
/// Every formula states them in its own words, one line each, because a search is generic in its
/// communicator: called through it, a loop that is generic in the formula would look up every operation.
protocol ColumnFormula: LaneFormula {
  /// Σ terms of the groups in `block` at the key.
  func sum(
    _ columns: borrowing UnitColumns, _ block: Range<Int>, at key: Int64,
    _ cutter: borrowing LimbCutter
  ) -> LimbedSum
  /// The sums at two keys, and which units ask for the same at both.
  func sumAndMark(
    _ columns: borrowing UnitColumns, _ block: Range<Int>, at first: Int64, and last: Int64,
    _ cutter: borrowing LimbCutter, marks: inout [UInt8]
  ) -> MarkedSum
}

/// What one block asks for at two keys.
struct MarkedSum {
  var first: LimbedSum
  var last: LimbedSum
  /// Of the units that ask for the same at both.
  var settled: LimbedSum
  /// Lanes among the groups that are settled.
  var count = 0
}

@inline(__always)
private func looped<Formula: LaneFormula>(
  _ formula: Formula, _ columns: borrowing UnitColumns, _ block: Range<Int>, at key: Int64,
  _ cutter: borrowing LimbCutter, twoLimbs: Bool
) -> LimbedSum {
  var sum = LimbedSum(groups: block.count)
  let point = formula.point(at: key)
  // Spans checked once, outside the loop: the loop itself is vector instructions only.
  let first = columns.first.span
  let second = columns.second.span
  let third = columns.third.span
  let lower = columns.lower.span
  let upper = columns.upper.span
  precondition(columns.holds(block), "a block of groups that are there")
  for group in block {
    let units = LaneGroup(
      first: first[group], second: second[group], third: third[group], lower: lower[group],
      upper: upper[group])
    sum.add(formula.terms(of: units, at: point), cutter, twoLimbs: twoLimbs)
  }
  return sum
}

@inline(__always)
private func loopedWithMarks<Formula: LaneFormula>(
  _ formula: Formula, _ columns: borrowing UnitColumns, _ block: Range<Int>, at first: Int64,
  and last: Int64, _ cutter: borrowing LimbCutter, marks: inout [UInt8], twoLimbs: Bool
) -> MarkedSum {
  let empty = LimbedSum(groups: block.count)
  var sums = MarkedSum(first: empty, last: empty, settled: empty)
  let points = (formula.point(at: first), formula.point(at: last))
  precondition(columns.holds(block), "a block of groups that are there")
  for group in block {
    let units = columns[group]
    let low = formula.terms(of: units, at: points.0)
    let high = formula.terms(of: units, at: points.1)
    let equal = low .== high
    sums.first.add(low, cutter, twoLimbs: twoLimbs)
    sums.last.add(high, cutter, twoLimbs: twoLimbs)
    sums.settled.add(Lanes.zero.replacing(with: low, where: equal), cutter, twoLimbs: twoLimbs)
    let bits = SIMD4<Int64>.zero.replacing(with: SIMD4(1, 2, 4, 8), where: equal)
    let mark = UInt8(truncatingIfNeeded: bits.wrappedSum())
    marks[group] = mark
    sums.count += mark.nonzeroBitCount
  }
  return sums
}

extension CapacityFormula: ColumnFormula {
  func sum(
    _ columns: borrowing UnitColumns, _ block: Range<Int>, at key: Int64,
    _ cutter: borrowing LimbCutter
  ) -> LimbedSum {
    cutter.hasTwoLimbs
      ? looped(self, columns, block, at: key, cutter, twoLimbs: true)
      : looped(self, columns, block, at: key, cutter, twoLimbs: false)
  }

  func sumAndMark(
    _ columns: borrowing UnitColumns, _ block: Range<Int>, at first: Int64, and last: Int64,
    _ cutter: borrowing LimbCutter, marks: inout [UInt8]
  ) -> MarkedSum {
    cutter.hasTwoLimbs
      ? loopedWithMarks(
        self, columns, block, at: first, and: last, cutter, marks: &marks, twoLimbs: true)
      : loopedWithMarks(
        self, columns, block, at: first, and: last, cutter, marks: &marks, twoLimbs: false)
  }
}

extension QuadraticFormula: ColumnFormula {
  func sum(
    _ columns: borrowing UnitColumns, _ block: Range<Int>, at key: Int64,
    _ cutter: borrowing LimbCutter
  ) -> LimbedSum {
    cutter.hasTwoLimbs
      ? looped(self, columns, block, at: key, cutter, twoLimbs: true)
      : looped(self, columns, block, at: key, cutter, twoLimbs: false)
  }

  func sumAndMark(
    _ columns: borrowing UnitColumns, _ block: Range<Int>, at first: Int64, and last: Int64,
    _ cutter: borrowing LimbCutter, marks: inout [UInt8]
  ) -> MarkedSum {
    cutter.hasTwoLimbs
      ? loopedWithMarks(
        self, columns, block, at: first, and: last, cutter, marks: &marks, twoLimbs: true)
      : loopedWithMarks(
        self, columns, block, at: first, and: last, cutter, marks: &marks, twoLimbs: false)
  }
}

extension LogFormula: ColumnFormula {
  func sum(
    _ columns: borrowing UnitColumns, _ block: Range<Int>, at key: Int64,
    _ cutter: borrowing LimbCutter
  ) -> LimbedSum {
    cutter.hasTwoLimbs
      ? looped(self, columns, block, at: key, cutter, twoLimbs: true)
      : looped(self, columns, block, at: key, cutter, twoLimbs: false)
  }

  func sumAndMark(
    _ columns: borrowing UnitColumns, _ block: Range<Int>, at first: Int64, and last: Int64,
    _ cutter: borrowing LimbCutter, marks: inout [UInt8]
  ) -> MarkedSum {
    cutter.hasTwoLimbs
      ? loopedWithMarks(
        self, columns, block, at: first, and: last, cutter, marks: &marks, twoLimbs: true)
      : loopedWithMarks(
        self, columns, block, at: first, and: last, cutter, marks: &marks, twoLimbs: false)
  }
}
