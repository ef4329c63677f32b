/// A lower bound on the largest slice that any division of units over ranks has.
///
/// The largest of: the mean over ranks; the largest unit; k + 1 units that must share a rank because
/// k · ranks + 1 are that large; and the capacity below which the bound L₂ of bin packing (Martello and Toth
/// 1990) needs more ranks than there are. ``Slicing`` is judged against it: where a unit is larger than the
/// mean, no division is balanced.
struct WorkBound {
  /// Falling.
  private let work: [Double]
  /// Sums of the first so many.
  private let sums: [Double]
  private let ranks: Int

  init(work: [Double], ranks: Int) {
    self.work = work.sorted(by: >)
    var sums = [0.0]
    for item in self.work { sums.append(sums[sums.count - 1] + item) }
    self.sums = sums
    self.ranks = ranks
  }

  /// The bound, in the unit of the work.
  ///
  /// - Parameter reached: the largest slice of a division that is at hand.
  /// - Complexity: O(40 (K + different units · log K)).
  func value(below reached: Double) -> Double {
    guard let largest = work.first else { return 0 }
    var low = max(sums[work.count] / Double(ranks), largest)
    for together in 1... {
      let last = together * ranks
      guard last < work.count else { break }
      low = max(low, sums[last + 1] - sums[last - together])
    }
    guard low < reached, ranksNeeded(capacity: low) > ranks else { return min(low, reached) }
    // `low` never suffices; `high` is the least that may.
    var high = reached
    for _ in 0..<40 {
      let middle = (low + high) / 2
      if ranksNeeded(capacity: middle) > ranks { low = middle } else { high = middle }
    }
    return low
  }

  /// L₂: ranks of a capacity that any division needs at least.
  ///
  /// For each α, units above capacity − α are alone, those above half of the capacity never share, and
  /// units from α on fill what the latter leave.
  private func ranksNeeded(capacity: Double) -> Int {
    // Rounding of sums must not ask for a rank too many.
    let slack = capacity * 1e-9
    let halves = count(above: capacity / 2 + slack)
    var needed = halves
    var end = work.count
    // α takes every different value up to half of the capacity, from the smallest on.
    while end > 0, work[end - 1] <= capacity / 2 {
      let alone = count(above: capacity - work[end - 1] + slack)
      let large = max(halves, alone)
      if end > large {
        let room = Double(large - alone) * capacity - (sums[large] - sums[alone])
        let rest = (sums[end] - sums[large] - room) / capacity
        needed = max(needed, large + max(0, Int((rest - 1e-9).rounded(.up))))
      }
      end = count(above: work[end - 1])
    }
    return needed
  }

  /// How many units are larger.
  private func count(above limit: Double) -> Int {
    var (low, high) = (0, work.count)
    while low < high {
      let middle = (low + high) / 2
      if work[middle] > limit { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
