/// This rank's part of one round of a search: what goes into the allreduce.
struct LocalRound {
  /// The demand at the round's keys, the number of units that still move and that of those that are left, and where
  /// ranks propose, their keys.
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
      let sums =
        sample.localSums(at: keys) + [Int128(sample.movingUnits), Int128(demand.activeUnits)]
      return LocalRound(sums: sums, evaluations: sample.evaluations)
    }
    let sums =
      demand.localSums(at: keys) + [Int128(demand.movingUnits), Int128(demand.activeUnits)]
    guard wantsProposals, let crossing = localCrossing else {
      return LocalRound(sums: sums, evaluations: 0)
    }
    let places = proposedKeys
    let found = crossing.keys(of: demand, besides: places.more)
    return LocalRound(
      sums: sums + places.outgoing(found.keys, rank: rank), evaluations: found.evaluations)
  }

  /// Takes in the sums of all ranks.
  mutating func arrived(_ sums: [Int128], at keys: [Int64]) {
    let demands = Array(sums[..<keys.count])
    let (moving, active) = (Int(sums[keys.count]), Int(sums[keys.count + 1]))
    if sampleStride != nil {
      sampled = SampledCurve(keys: keys, demands: demands.map { Double($0) }, units: moving)
      return
    }
    let places = proposedKeys
    measured(demands, at: keys)
    activeUnits = min(activeUnits, active)
    if keys[0] <= lower.key, upper.key <= keys[keys.count - 1] {
      activeUnits = min(activeUnits, moving)
    }
    let (parts, others) = places.arrived(sums[(keys.count + 2)...])
    proposed(parts, and: others)
    if isOutOfReach { lowerAims() }
  }
}
