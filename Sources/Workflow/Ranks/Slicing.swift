internal import Curvature

/// Which rank owns which units: longest processing time first.
///
/// Units go in order of falling predicted work, each to the rank with the least work so far (the
/// lowest such rank); equal work keeps unit order. A pure function, so all ranks agree unasked.
struct Slicing: Equatable {
  /// Positions of the units each rank owns, ascending.
  let unitsOfRank: [[Int]]
  /// Predicted floating-point operations per rank.
  let work: [Double]

  /// - Complexity: O(K log K + K ranks).
  init(work unitWork: [Double], ranks: Int) {
    var units = [[Int]](repeating: [], count: ranks)
    var work = [Double](repeating: 0, count: ranks)
    let order = unitWork.indices.sorted {
      unitWork[$0] > unitWork[$1] || (unitWork[$0] == unitWork[$1] && $0 < $1)
    }
    for unit in order {
      var lightest = 0
      for rank in work.indices where work[rank] < work[lightest] { lightest = rank }
      units[lightest].append(unit)
      work[lightest] += unitWork[unit]
    }
    unitsOfRank = units.map { $0.sorted() }
    self.work = work
  }
}
