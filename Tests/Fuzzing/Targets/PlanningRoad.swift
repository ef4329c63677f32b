internal import Allocation
internal import Collectives
internal import PlanFiles
internal import Workflow

/// From scores to plans of both programs, as `allocate`, `prune` and `transfer` go.
enum PlanningRoad {
  static func plan(_ bytes: [UInt8]) {
    let path = ScratchFolder.write(bytes, as: "scores.json")
    let output = "\(ScratchFolder.path)/out.json"
    guard let budget = try? CapacityBudget("96") else { return }
    var allocate = AllocateRequest(
      source: .scores(path: path), measure: CapacityMeasure(budget: budget), output: output)
    allocate.wholeNumbers = true
    if let planned = try? allocate.run(over: SoloCollective()) {
      let spent = planned.plan.units.reduce(0) { $0 + ($1.integer ?? 0) }
      precondition(spent <= 96, "spent \(spent) of 96")
      precondition(planned.plan.units.allSatisfy { !$0.name.isEmpty }, "a unit without a name")
    }
    let prune = PruneRequest(
      source: .scores(path: path), program: PruningProgram(sparsity: 0.5), output: output)
    if let planned = try? prune.run(over: SoloCollective()) {
      for unit in planned.plan.units {
        precondition((unit.integer ?? 0) <= (unit.weights ?? 0), "\(unit.name) loses too much")
      }
    }
  }
}
