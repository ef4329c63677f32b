/// The demand of many units by a `ColumnFormula`: the sums of `SlicedDemand`, bit for bit, faster.
struct ColumnDemand<Formula: ColumnFormula>: SearchedDemand {
  let formula: Formula
  let cutter: LimbCutter
  /// 1, or −1 where the formula grows with the key.
  let sign: Int128
  private(set) var columns: UnitColumns
  /// Whether the columns are also needed after the search.
  private var isShared: Bool
  /// What units that have left ask for together.
  private(set) var settled: Int128
  /// Which units ask for the same at both ends of `markedKeys`, and what they ask for together.
  private var marks: [UInt8] = []
  private var markedKeys: ClosedRange<Int64>?
  private var markedCount = 0
  /// How many keys were asked last.
  private var lastKeys = 0
  private var markedSum: Int128 = 0
  private(set) var evaluations = 0

  init(
    _ formula: Formula, cutter: LimbCutter, sign: Int128, columns: consuming UnitColumns,
    isShared: Bool = false, settled: Int128 = 0
  ) {
    self.formula = formula
    self.cutter = cutter
    self.sign = sign
    self.columns = columns
    self.isShared = isShared
    self.settled = settled
  }

  var activeUnits: Int { columns.count }

  /// Those that are not marked.
  var movingUnits: Int {
    guard markedKeys != nil else { return columns.count }
    // Fillers ask for nothing at both ends: they are marked too, but no units.
    return columns.count - (markedCount - (4 * columns.groups - columns.count))
  }

  /// - Complexity: one term per active unit and key, four at a time.
  mutating func localSums(at keys: [Int64]) -> [Int128] {
    evaluations += columns.count * keys.count
    let marking = keys.count >= 2
    lastKeys = keys.count
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
        sums[index] += cutter.total(formula.sum(columns, block, at: keys[index], cutter))
      }
      if marking {
        let ends = formula.sumAndMark(
          columns, block, at: keys[0], and: keys[keys.count - 1], cutter, marks: &marks)
        markedCount += ends.count
        sums[0] += cutter.total(ends.first)
        sums[keys.count - 1] += cutter.total(ends.last)
        markedSum += cutter.total(ends.settled)
      }
    }
    return sums.map { settled + sign * $0 }
  }

  /// Takes out the marked units if the bracket lies where they were marked and they are many enough to
  /// be worth the pass. After a round of many keys, the outer ones are far from the bracket, and a pass that
  /// marks costs little beside it. Where the keys have missed the answer nothing is marked in the bracket: a pass
  /// there is worth its two terms for up to a quarter of a million units.
  mutating func narrow(to bracket: ClosedRange<Int64>) {
    let isMissed = !isMarked(bracket) && columns.groups <= 1 << 16
    if lastKeys >= 12 || isMissed, columns.groups > 16 {
      _ = localSums(at: [bracket.lowerBound, bracket.upperBound])
    }
    guard isMarked(bracket), markedCount * 4 >= columns.count else { return }
    columns.remove(marked: marks, leaving: movingUnits, isShared: isShared)
    isShared = false
    marks = []
    settled += sign * markedSum
    self.markedKeys = nil
  }

  private func isMarked(_ bracket: ClosedRange<Int64>) -> Bool {
    guard let markedKeys else { return false }
    return markedKeys.contains(bracket.lowerBound) && markedKeys.contains(bracket.upperBound)
  }

  func copy() -> Self {
    var copy = self
    copy.isShared = true
    copy.evaluations = 0
    return copy
  }

  /// Units of large `first` (weights) are drawn more often than others, and each stands for fewer: a
  /// few large units may ask for most of the budget.
  func sample(every stride: Int) -> Self {
    let sampled = columns.sample(every: stride) { formula.scaled($0, by: $1) }
    return ColumnDemand(formula, cutter: cutter, sign: sign, columns: sampled, settled: settled)
  }
}
