internal import Checkpoints
internal import PlanFiles
internal import Pruning

/// One unit of a plan against its matrices in the checkpoint: pattern and counts of its modules.
struct UnitFit {
  private let unit: RemovalPlan.Unit
  private let matrices: [ModuleWeight]
  private let asked: RemovalPattern?
  /// Weights of the unit's matrices.
  private let weights: Int
  let pattern: RemovalPattern?

  init(_ unit: RemovalPlan.Unit, _ matrices: [ModuleWeight], asked: RemovalPattern?) {
    self.unit = unit
    self.matrices = matrices
    self.asked = asked
    weights = matrices.reduce(0) { $0 + $1.count }
    if let own = unit.pattern {
      pattern = RemovalPattern(own)
    } else if let asked {
      // The N nearest to the unit's share, at most the one asked for.
      let share = Double(unit.integer) / Double(max(weights, 1))
      let nearest = Int((share * Double(asked.group)).rounded(.toNearestOrAwayFromZero))
      pattern = RemovalPattern(removed: min(max(nearest, 0), asked.removed), group: asked.group)
    } else {
      pattern = nil
    }
  }

  /// Weights to remove from each module.
  var counts: [Int] {
    if let pattern {
      return matrices.map { pattern.count(outputs: $0.outputs, inputs: $0.inputs) }
    }
    return CountSpread.uniform(min(max(unit.integer, 0), weights), over: matrices.map(\.count))
  }

  /// Refuses what does not fit, and notes what fits only nearly.
  func check(_ remarks: inout SizeRemarks) throws(Failure) {
    func refuse(_ problem: String) -> Failure {
      Failure(.badData, "unit \"\(unit.name)\" of the plan: \(problem)")
    }
    if let own = unit.pattern {
      guard let pattern else {
        throw refuse("the pattern \"\(own)\" is not N:M with 0 ≤ N ≤ M ≤ 64")
      }
      guard asked == nil || asked?.group == pattern.group else {
        throw refuse(
          "it is planned as \(pattern), which --pattern \(asked?.description ?? "") contradicts; leave "
            + "--pattern out, or plan again")
      }
    }
    guard unit.integer >= 0, unit.integer <= weights else {
      throw refuse(
        "removes \(unit.integer) weights, but its matrices have \(weights); plan again with "
          + "--checkpoint, so that only they are counted")
    }
    if let planned = unit.weights, planned != weights {
      // Statistics with appended biases count one weight more per output.
      let biases = matrices.reduce(0) { $0 + $1.outputs }
      guard planned > weights, planned - weights <= biases else {
        throw refuse(
          "counts \(planned) weights, but its modules have \(weights) in the checkpoint; they are of "
            + "different models, or the plan leaves modules out")
      }
      remarks.biases += planned - weights
    }
    let removed = counts.reduce(0, +)
    guard removed != unit.integer else { return }
    guard unit.pattern == nil else {
      throw refuse(
        "removes \(unit.integer) weights, but \(unit.pattern ?? "") of its matrices are \(removed)")
    }
    remarks.drift += removed - unit.integer
    remarks.driftedUnits += 1
  }
}

/// Where a plan fits its checkpoint only nearly, counted over all units.
struct SizeRemarks {
  var biases = 0
  var drift = 0
  var driftedUnits = 0

  var notes: [String] {
    var notes: [String] = []
    if biases > 0 {
      notes.append(
        "the plan counts \(biases) biases as weights; they are not pruned, so the share of removed "
          + "weights is a little higher than planned (prune --checkpoint counts matrices only)")
    }
    if driftedUnits > 0 {
      notes.append(
        "the pattern rounds the counts of \(driftedUnits) unit\(driftedUnits == 1 ? "" : "s"): "
          + "\(drift < 0 ? "\(-drift) weights fewer" : "\(drift) weights more") are removed than planned; "
          + "prune --pattern plans with patterns")
    }
    return notes
  }
}
