/// This rank's part of one round of a search: what goes into the allreduce.
struct LocalRound {
  /// The demand at the round's keys, the number of units that still move, and where ranks propose, a place for each.
  let sums: [Int128]
  /// Terms evaluated for them, where a demand does not count them itself.
  let evaluations: Int
}

extension SearchProgress {
  /// This rank's part of a round at `keys`. Of many units a sample is asked first.
  func localRound(
    at keys: [Int64], of demand: inout some SearchedDemand, rank: Int
  ) -> LocalRound {
    if let stride = sampleStride {
      var sample = demand.sample(every: stride)
      let sums = sample.localSums(at: keys) + [Int128(sample.movingUnits)]
      return LocalRound(sums: sums, evaluations: sample.evaluations)
    }
    var sums = demand.localSums(at: keys)
    sums.append(Int128(demand.movingUnits))
    guard wantsProposals, let crossing = localCrossing else {
      return LocalRound(sums: sums, evaluations: 0)
    }
    let (key, evaluations) = crossing.key(of: demand)
    return LocalRound(
      sums: sums + ProposedKeys.outgoing(key, rank: rank, ranks: ranks), evaluations: evaluations)
  }

  /// Takes in the sums of all ranks.
  mutating func arrived(_ sums: [Int128], at keys: [Int64]) {
    let (demands, units) = (Array(sums[..<keys.count]), Int(sums[keys.count]))
    if sampleStride != nil {
      sampled = SampledCurve(keys: keys, demands: demands.map { Double($0) }, units: units)
      return
    }
    measured(demands, at: keys)
    if keys[0] <= lower.key, upper.key <= keys[keys.count - 1] { activeUnits = units }
    proposed(ProposedKeys.arrived(sums[(keys.count + 1)...]))
    if isOutOfReach { lowerAims() }
  }
}
